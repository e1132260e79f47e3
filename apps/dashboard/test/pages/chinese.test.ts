import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { news, states } from '@replenish/domain';
import { bulkTitles, outcomeWords, statusWords } from '../../src/pages/bulk/words.js';
import { questions, verbMeaning, verbWords } from '../../src/pages/cases/words.js';
import { chinese } from '../../src/pages/frame/chinese/chinese.js';
import { reasonWords } from '../../src/pages/recharges/words.js';
import {
  becauseWords,
  decidedWords,
  figureWords,
  modeWords,
  watchWords,
} from '../../src/pages/rules/words.js';
import { loginFaults } from '../../src/people/login-page.js';
import { type Got, openConsoleOnBooks, type ServedConsole, troubles } from './support/console.js';

let served: ServedConsole;
let ids: Readonly<Record<'late' | 'silent' | 'absent' | 'case' | 'bulk', string>>;
beforeAll(async () => {
  served = await openConsoleOnBooks();
  const late = await served.recharge({ accountId: 'acct-1' }, ...troubles.late);
  const silent = await served.recharge({ accountId: 'acct-2' }, ...troubles.silent);
  const absent = await served.recharge({ accountId: 'acct-3' }, ...troubles.absent);
  const filter = { viewer: null, transactionId: late, limit: 1 };
  const [one] = (await served.domain.cases.list(filter, () => true)).rows;
  const mia = { actor: 'mia', role: 'admin' };
  const { desk, bulks } = served.domain;
  await desk.assign({ caseId: one!.id, version: 0, assignee: 'mia' }, mia);
  await desk.setDue({ caseId: one!.id, version: 1, dueAt: new Date(0) }, mia);
  const items = [{ subject: silent, amountMinor: 100n, currency: 'USD' }];
  const bulk = await bulks.create(
    { verb: 'recheck', filter: '/recharges', isCut: true, reason: 'outage', items },
    mia,
  );
  ids = { late, silent, absent, case: one!.id, bulk };
});
afterAll(() => served.close());

const maps = {
  ...{ reasonWords, becauseWords, decidedWords, figureWords, modeWords, watchWords, loginFaults },
  ...{ questions, verbMeaning, verbWords, bulkTitles, outcomeWords, statusWords },
};

test.each(Object.entries(maps))('every text of %s is there in Chinese', (_name, words) => {
  expect(Object.values(words).filter((english) => !(english in chinese))).toEqual([]);
});

test('every state and every news is there in Chinese', () => {
  expect([...states, ...news].filter((code) => !(code in chinese))).toEqual([]);
});

/** What the test itself wrote, in place of the words of a person or a provider. */
const TOLD = 'as tested';

/** The texts of a page that still have two English words in a row. Identifiers and evidence are left out. */
const englishIn = ({ text }: Got): string[] =>
  text
    .replaceAll(/<(style|script|pre|code)\b.*?<\/\1>/gs, '')
    .split(/<[^>]*>/)
    .filter((words) => /\b[A-Za-z]+ [a-z]{2,}\b/.test(words.replaceAll(TOLD, '')));

test.each([
  '/',
  '/recharges',
  '/recharges/{late}',
  '/recharges/{silent}',
  '/recharges/{absent}',
  '/recharges/{silent}/recheck',
  '/recharges?q=no-such-thing',
  '/cases',
  '/cases/{case}',
  '/cases/{case}/adopt',
  '/cases/{case}/assign',
  '/cases/{case}/due',
  '/bulk',
  '/bulk/{bulk}',
  '/bulk/{bulk}/start',
  '/bulk/new?verb=recheck',
  '/accounts/acct-1',
  '/providers',
  '/rules',
  '/rules/stop',
  '/plans',
  '/callbacks',
  '/approvals',
  '/clients',
  '/clients/new',
  '/audit',
  '/security',
])('the page %s has no English sentence for a Chinese reader', async (path) => {
  const address = path.replace(/\{(\w+)\}/, (_whole, name: keyof typeof ids) => ids[name]);
  const page = await served.get(address, 'admin', { 'accept-language': 'zh-CN' });
  expect(page.text).toContain('<html lang="zh-CN">');
  expect(page.text).not.toMatch(/>(?:SUCCEEDED|FAILED|SUBMITTED|PENDING_CONFIRMATION|unanswered)</);
  expect(englishIn(page)).toEqual([]);
});
