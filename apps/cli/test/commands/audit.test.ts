import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type AuditCall, securityRules } from '@replenish/domain';
import { type CommandBooks, openCommandBooks } from '../support/command-books.js';

let books: CommandBooks;
beforeAll(async () => {
  books = await openCommandBooks();
});
afterAll(() => books.close());

const idOf = (n: number) => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`;

const aCall = (n: number): AuditCall => ({
  id: idOf(n),
  at: new Date(Date.now() - n * 1_000),
  ip: '10.0.0.7',
  clientId: idOf(n % 2),
  keyId: `rk_test_${n % 2}`,
  method: 'GET',
  route: n === 0 ? '/v1/recharges/:id/timeline' : '/v1/recharges',
  params: n === 0 ? { id: idOf(7) } : {},
  accountId: null,
  status: n % 3 === 0 ? 403 : 200,
  code: n % 3 === 0 ? 'UNAUTHORIZED' : null,
  durationMs: 1.5,
  correlationId: `c${n}`,
});

test('audit lists the calls of all clients, newest first, with filters and pages', async () => {
  await books.domain.audit.write(Array.from({ length: 1_100 }, (_, n) => aCall(n)));
  const ids = async (...args: string[]) => {
    const { exitCode, lines } = await books.run('audit', '--json', ...args);
    expect(exitCode).toBe(0);
    return lines.map((line) => Number((JSON.parse(line) as AuditCall).correlationId.slice(1)));
  };
  expect(await ids('--limit', '2000')).toEqual([...Array(1_100).keys()]);
  expect(await ids('--client', idOf(1), '--status', '403', '--limit', '3')).toEqual([3, 9, 15]);
  expect(await ids('--key', 'rk_test_0', '--limit', '1')).toEqual([0]);
  expect(await ids('--to', '2020-01-01')).toEqual([]);
  const { lines: asJson } = await books.run('audit', '--json', '--limit', '1');
  const { id, ...first } = aCall(0);
  expect(JSON.parse(asJson[0]!)).toEqual({ callId: id, ...first, at: expect.any(String) });
  const { lines } = await books.run('audit');
  const [heads, ...rows] = lines.join('\n').split('\n');
  expect(heads).toMatch(/^TIME +ADDRESS +KEY ID +STATUS +CALL +/);
  expect(rows).toHaveLength(50);
  expect(rows[0]).toMatch(
    /10\.0\.0\.7 +rk_test_0 +403 UNAUTHORIZED +GET \/v1\/recharges\/:id\/timeline +0{8}-\S+7 +-/,
  );
  expect(rows[1]).toMatch(/GET \/v1\/recharges +- +- +1\.5 +c1$/);
});

test.each([
  ['--from', 'soon'],
  ['--client', 'shop'],
  ['--client', '00000000-0000-7000-8000-00000000000G'],
  ['--limit', '0'],
  ['--limit', '1e3'],
  ['--status', '20'],
  ['--from', '2026-02-30'],
  ['--from', '2026-11-02', '--to', '2026-11-01'],
  ['drop'],
  ['--client', idOf(1), 'drop', '--before', '2020-01'],
  ['drop', '--before', '2026'],
  ['drop', '--before', '2999-01'],
])('audit refuses %s %s %s', async (...args: string[]) => {
  const { exitCode, lines } = await books.run('audit', ...args);
  expect([exitCode, lines.join('\n')]).toEqual([
    2,
    expect.stringContaining(args.find((word) => word.startsWith('-')) ?? '--before'),
  ]);
});

test('audit drop removes past months and no call of this month', async () => {
  expect(await books.run('audit', 'drop', '--before', '2020-01', '--json')).toMatchObject({
    exitCode: 0,
    lines: ['{"dropped":[]}'],
  });
});

test('unlock unlocks a locked key, and tells when no lock was there', async () => {
  const { keyId } = await books.domain.clients.create({
    name: 'shop',
    env: 'test',
    scopes: [],
    accounts: ['*'],
  });
  const { max } = securityRules.bad_signature;
  await books.domain.security.report([{ rule: 'bad_signature', keyId, count: max, origin: '10.0.0.7' }]);
  expect((await books.domain.security.locked()).map((lock) => lock.keyId)).toEqual([keyId]);
  const freed = await books.run('unlock', keyId, '--json');
  expect(freed).toMatchObject({ exitCode: 0, lines: [JSON.stringify({ keyId, unlocked: true })] });
  expect(await books.domain.security.locked()).toEqual([]);
  expect(await books.run('unlock', keyId)).toMatchObject({ exitCode: 1, lines: [`${keyId} is not locked`] });
  expect(await books.run('unlock', 'nope')).toMatchObject({ exitCode: 1, lines: ['no active key nope'] });
  expect((await books.run('unlock')).exitCode).toBe(2);
});
