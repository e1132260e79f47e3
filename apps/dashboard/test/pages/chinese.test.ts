import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { news, securityRules, states } from '@replenish/domain';
import type { Attempt } from '@replenish/providers';
import { bulkTitles, outcomeWords, statusWords } from '../../src/pages/bulk/words.js';
import { statusWords as callbackWords } from '../../src/pages/callbacks/list-page.js';
import { questions, verbMeaning, verbWords } from '../../src/pages/cases/words.js';
import { automationWords } from '../../src/pages/frame/chinese/automation.js';
import { chinese } from '../../src/pages/frame/chinese/chinese.js';
import { codeWords } from '../../src/pages/frame/chinese/codes.js';
import { deskWords } from '../../src/pages/frame/chinese/desk.js';
import { domainWords } from '../../src/pages/frame/chinese/domain.js';
import { filedWords } from '../../src/pages/frame/chinese/filed.js';
import { pageWords } from '../../src/pages/frame/chinese/pages.js';
import { rechargeWords } from '../../src/pages/frame/chinese/recharges.js';
import { signInWords } from '../../src/pages/frame/chinese/sign-in.js';
import { outcomeText, span } from '../../src/pages/frame/format.js';
import { sayIn } from '../../src/pages/frame/words.js';
import { reasonWords } from '../../src/pages/recharges/words.js';
import {
  becauseWords,
  decidedWords,
  figureWords,
  modeWords,
  watchWords,
} from '../../src/pages/rules/words.js';
import { loginFaults, loginPage } from '../../src/people/login-page.js';
import { signedInPage } from '../../src/people/signed-in-page.js';
import { openConsoleOnBooks, type ServedConsole } from './support/console.js';
import { englishIn } from './support/english.js';
import { type FilledIds, fillBooks, filledPages } from './support/filled.js';

const zh = sayIn('zh');

const maps = {
  ...{ reasonWords, becauseWords, decidedWords, figureWords, modeWords, watchWords, loginFaults },
  ...{ questions, verbMeaning, verbWords, bulkTitles, outcomeWords, statusWords, callbackWords },
};

describe('the words', () => {
  test.each(Object.entries(maps))('every text of %s is there in Chinese', (_name, words) => {
    expect(Object.values(words).filter((english) => !(english in chinese))).toEqual([]);
  });

  test('every text that a page names, and every sentence of its source, is there in Chinese', () => {
    const texts = ['pages', 'people'].flatMap(sourcesIn);
    const [named, sentences] = [texts.flatMap(textsSaidIn), texts.flatMap(sentencesIn)];
    expect([named.length > 300, sentences.length > 100]).toEqual([true, true]);
    expect([...named, ...sentences].filter((english) => !(english in chinese))).toEqual([]);
  });

  test('every text is there once, so that no file of words hides the words of another one', () => {
    const files = [codeWords, domainWords, rechargeWords, pageWords, automationWords, deskWords, filedWords];
    const keys = [...files, signInWords].flatMap((words) => Object.keys(words));
    expect(keys.filter((key, n) => keys.indexOf(key) !== n)).toEqual([]);
    expect(keys.length).toBe(Object.keys(chinese).length);
  });

  test('every value of an English text is in its Chinese one', () => {
    const valuesOf = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).toSorted();
    const differing = Object.entries(chinese).filter(
      ([english, words]) => valuesOf(english).join() !== valuesOf(words).join(),
    );
    expect(differing).toEqual([]);
  });

  test('every code of the books is there in Chinese', () => {
    const outcomes = Object.keys(outcomesOfCalls).map((outcome) => outcomeText(outcome, sayIn('en')));
    const of = [Object.keys(securityRules), Object.keys(operationsOfCalls)].flat();
    expect([...states, ...news, ...of, ...outcomes].filter((code) => !(code in chinese))).toEqual([]);
  });
});

// These two do not compile unless they have every outcome and every operation.
const outcomesOfCalls: Readonly<Record<Attempt['outcome'], true>> = {
  ...{ accepted: true, settled: true, rejected: true, unknown: true, not_executed: true },
  ...{ found: true, absent: true, several: true, canceled: true, pending: true, still_payable: true },
  ...{ read: true, refused: true },
};

const operationsOfCalls: Readonly<Record<Attempt['operation'], true>> = {
  ...{
    submit: true,
    query: true,
    cancel: true,
    refund: true,
    refund_query: true,
    read: true,
    statement: true,
  },
};

const sourcesIn = (room: string): string[] => {
  const folder = join(import.meta.dirname, '../../src', room);
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.includes('chinese'))
    .map((name) => readFileSync(join(folder, name), 'utf8'));
};

const sentencesIn = (source: string): string[] => source.match(/(?<=')[A-Z][^'\n]* [^'\n]*\.(?=')/g) ?? [];

/** The texts in a source that are given to `say` as they are. */
const textsSaidIn = (source: string): string[] =>
  [...source.matchAll(/\bsay\(\s*'((?:[^'\\]|\\.)*)'(?:\s*:\s*'([^']*)'\))?/g)].flatMap(([, one, other]) =>
    [one, other].filter((text) => text !== undefined),
  );

test.each([
  [0, '0 毫秒', '0 ms'],
  [999, '999 毫秒', '999 ms'],
  [1_500, '1.5 秒', '1.5 s'],
  [59_999, '59 秒', '59 s'],
  [60_000, '1 分钟', '1 min'],
  [185_000, '3 分钟 5 秒', '3 min 5 s'],
  [2 * 3_600_000, '2 小时', '2 h'],
  [2 * 3_600_000 + 60_000, '2 小时 1 分钟', '2 h 1 min'],
  [3 * 86_400_000 + 5 * 3_600_000, '3 天 5 小时', '3 d 5 h'],
])('%d ms are %s, and %s in English', (ms, words, english) => {
  expect([span(ms, zh), span(ms, sayIn('en'))]).toEqual([words, english]);
});

test.each([undefined, ...Object.keys(loginFaults)])('the login with the fault %s is in Chinese', (fault) => {
  const page = loginPage('zh', { fault: fault as keyof typeof loginFaults, hasSignOn: true });
  expect(englishIn(page)).toEqual([]);
});

test('the page after a sign-in is in Chinese', () => {
  const made = {
    name: 'mia',
    role: 'operator',
    totpUri: 'otpauth://totp/1',
    recoveryCodes: ['1-1'],
  } as const;
  expect(englishIn(signedInPage('zh', '/', made))).toEqual([]);
});

describe('the pages', () => {
  let served: ServedConsole;
  let ids: FilledIds;
  beforeAll(async () => {
    served = await openConsoleOnBooks();
    ids = await fillBooks(served);
  });
  afterAll(() => served.close());

  const shown = (address: string): string =>
    address.replace(/\{(\w+)\}/, (_whole, name: string) => ids[name as keyof FilledIds]);

  test('that can be read are all looked at', () => {
    const patterns = served.paths.map(
      (path) => [path, new RegExp(`^${path.replace(/:\w+/g, '[^/]+')}$`)] as const,
    );
    const pathOf = (address: string): string | undefined =>
      patterns.find(([, pattern]) => pattern.test(address.replace(/\?.*/, '')))?.[0];
    const looked = new Set(filledPages.map((address) => pathOf(shown(address))));
    const isFile = (path: string): boolean => path.endsWith('/evidence');
    expect(served.paths.filter((path) => !isFile(path) && !looked.has(path))).toEqual([]);
  });

  test.each(filledPages)('%s has no English word for a Chinese reader', async (address) => {
    const page = await served.get(shown(address), 'admin', { 'accept-language': 'zh-CN' });
    expect(page.text).toContain('<html lang="zh-CN">');
    if (!address.includes('{')) expect(page.text).not.toContain('<p class="empty">');
    expect(page.text).not.toMatch(/>(?:SUCCEEDED|FAILED|SUBMITTED|PENDING_CONFIRMATION|CREATED|CANCELED)</);
    expect(englishIn(page.text)).toEqual([]);
  });

  test('of an event without readable content say its length', async () => {
    const page = await served.get(shown('/recharges/{silent}'), 'admin', { 'accept-language': 'zh-CN' });
    expect(page.text).toContain('>1 字节，既不是 JSON 也不是表单</pre>');
  });
});
