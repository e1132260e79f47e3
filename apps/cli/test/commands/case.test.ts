import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newRecharge } from '@replenish/testing';
import { v7 as uuidv7 } from 'uuid';
import { type CommandBooks, openCommandBooks } from '../support/command-books.js';

let books: CommandBooks;
const dir = mkdtempSync(join(tmpdir(), 'replenish-case-'));
beforeAll(async () => {
  books = await openCommandBooks();
});
afterAll(async () => {
  await books.close();
  rmSync(dir, { recursive: true });
});

/** A recharge that failed and whose money came late. Returns its id. */
async function late(): Promise<string> {
  const ask = newRecharge({ id: uuidv7(), amountMinor: 100n });
  await books.domain.createRecharge(ask);
  for (const news of ['submit', 'declined', 'settled'] as const)
    await books.domain.applyNews({
      ...{ transactionId: ask.id, news, source: 'webhook', reason: 'as tested' },
      ...(news === 'settled' && { providerOrderId: `order of ${ask.id}` }),
    });
  return ask.id;
}

const listed = async (...args: string[]) =>
  JSON.parse((await books.run('case', 'list', '--json', ...args)).lines[0]!);

test('a case is listed, shown and decided, with the user of the machine as actor', async () => {
  const id = await late();
  const [found] = await listed('--transaction', id);
  expect(found).toMatchObject({
    ...{ kind: 'late_money', transactionId: id, amount: 100, currency: 'USD', closedAt: null },
    verbs: ['adopt', 'return'],
  });
  const { lines: table } = await books.run('case', 'list', '--kind', 'late_money');
  expect(table.join('\n')).toMatch(
    new RegExp(`case +kind +opened[\\s\\S]*${found.caseId} +late_money .* 100 USD +${id} +adopt, return`),
  );
  expect((await books.run('case', 'show', found.caseId)).lines.join('\n')).toMatch(
    /^case +\S+\nkind +late_money[\s\S]*verbs +adopt, return\nevidence +\{/,
  );

  const file = join(dir, 'line.json');
  writeFileSync(file, '{"line": 7}');
  const ask = ['case', 'resolve', found.caseId, '--verb', 'adopt', '--reason', 'on the statement'];
  expect(await books.run(...ask)).toMatchObject({
    exitCode: 1,
    lines: [expect.stringContaining('needs --evidence')],
  });
  const { exitCode, lines } = await books.run(...ask, '--evidence', file, '--json');
  expect(exitCode).toBe(0);
  expect(JSON.parse(lines[0]!)).toMatchObject({
    ...{ caseId: found.caseId, verbs: [], evidence: { given: { line: 7 } } },
    resolution: { verb: 'adopt', actor: userInfo().username, reason: 'on the statement' },
  });
  expect(await books.domain.reads.recharge(id)).toMatchObject({ state: 'SUCCEEDED' });
  expect(await books.run(...ask, '--evidence', file)).toMatchObject({
    exitCode: 1,
    lines: [expect.stringContaining('closed already')],
  });
  expect(await listed('--transaction', id)).toEqual([]);
  expect(await listed('--transaction', id, '--status', 'closed')).toHaveLength(1);
});

test('the actor can be named, and what is wrong is refused with nothing changed', async () => {
  const id = await late();
  const [{ caseId }] = await listed('--transaction', id);
  const file = join(dir, 'none.json');
  writeFileSync(file, '[]');
  const ask = ['case', 'resolve', caseId, '--reason', 'not ours'];
  expect((await books.run(...ask, '--verb', 'pay')).exitCode).toBe(2);
  expect((await books.run(...ask, '--verb', 'adopt', '--evidence', file)).exitCode).toBe(2);
  expect((await books.run(...ask, '--verb', 'adopt', '--evidence', join(dir, 'missing'))).exitCode).toBe(2);
  expect((await books.run(...ask, '--verb', 'dismiss')).lines[0]).toContain('does not offer this verb');
  expect((await books.run('case', 'show', uuidv7())).exitCode).toBe(1);
  const returned = await books.run(...ask, '--verb', 'return', '--actor', 'night desk');
  expect([returned.exitCode, returned.lines.join('\n')]).toEqual([
    0,
    expect.stringMatching(/decided +return \(night desk\): not ours/),
  ]);
});
