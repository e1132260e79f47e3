import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type TOTP, URI } from 'otpauth';
import type { Domain, MadeOperator, OperatorRole } from '../../src/index.js';
import { type Books, openBooks, times } from '../support/books.js';

const by = { actor: 'tester', role: 'command_line' };
const masterKeys = (id: string, byte: number): string => `${id}:${Buffer.alloc(32, byte).toString('base64')}`;
const FIRST = masterKeys('first', 1);
const SECOND = masterKeys('second', 2);

let books: Books;
let nowMs = Date.UTC(2026, 10, 28);
let processes: Domain[];
beforeAll(async () => {
  books = await openBooks();
  const options = { masterKeys: FIRST, now: () => new Date(nowMs), poolMax: 2 };
  processes = [books.open(options), books.open(options)];
});
afterAll(() => books.close());

const create = async (name: string, role: OperatorRole): Promise<MadeOperator> => {
  const made = await processes[0]!.operators.create({ name, role, passwordHash: 'scrypt$x' }, by);
  if (!made) throw new Error(`${name} is taken`);
  return made;
};
const idOf = async (name: string): Promise<string> => (await processes[0]!.operators.credentials(name))!.id;
const codeAt = ({ totpUri }: MadeOperator, steps: number): string =>
  (URI.parse(totpUri!) as TOTP).generate({ timestamp: nowMs + steps * 30_000 });

test('everyone but viewers gets a second factor, whose seed the database has only sealed', async () => {
  const [viewer, admin] = [await create('look', 'viewer'), await create('root', 'admin')];
  expect([viewer.totpUri, viewer.recoveryCodes]).toEqual([null, []]);
  expect(admin.totpUri).toMatch(/^otpauth:\/\/totp\/Replenish:root\?issuer=Replenish&secret=[A-Z2-7]{32}&/);
  const [row] = await books.rows(`select * from operator where name = 'root'`);
  const seed = /secret=([A-Z2-7]+)/.exec(admin.totpUri!)![1]!;
  const stored = JSON.stringify(row);
  expect(stored).not.toContain(seed);
  for (const code of admin.recoveryCodes) expect(stored).not.toContain(code);
  await expect(books.rows(`update operator set role = 'admin' where name = 'look'`)).rejects.toThrow(
    /operator_second_factor/,
  );
});

test('a name is taken once, also by two processes at once', async () => {
  const person = { name: 'twin', role: 'viewer' as const, passwordHash: 'scrypt$x' };
  const made = await Promise.all(processes.map(({ operators }) => operators.create(person, by)));
  expect(made.filter((one) => one !== null)).toHaveLength(1);
});

test('a code serves once over all processes, and uses up the codes before it', async () => {
  const made = await create('coder', 'operator');
  const id = await idOf('coder');
  const code = codeAt(made, 0);
  const used = await Promise.all(times(6, (n) => processes[n % 2]!.operators.useCode(id, code)));
  expect(used.filter((how) => how === 'totp')).toHaveLength(1);
  const { operators } = processes[1]!;
  expect(await operators.useCode(id, codeAt(made, 1))).toBe('totp');
  expect(await operators.useCode(id, codeAt(made, 0))).toBe(false);
  expect(await operators.useCode(id, codeAt(made, 3))).toBe(false);
  nowMs += 120_000;
  expect(await operators.useCode(id, codeAt(made, -2))).toBe(false);
  expect(await operators.useCode(id, codeAt(made, -1))).toBe('totp');
});

test('a recovery code serves once, however it is typed', async () => {
  const made = await create('lost', 'operator');
  const id = await idOf('lost');
  const [first] = made.recoveryCodes;
  const { operators } = processes[0]!;
  expect(await operators.useCode(id, first!.toUpperCase().replaceAll('-', ' '))).toBe('recovery');
  expect(await operators.useCode(id, first!)).toBe(false);
  expect(await operators.list()).toContainEqual(
    expect.objectContaining({ name: 'lost', recoveryCodesLeft: made.recoveryCodes.length - 1 }),
  );
});

test('a session is open at every process, until the person or somebody else ends it', async () => {
  await create('worker', 'operator');
  const id = await idOf('worker');
  const [one, other] = processes.map(({ operators }) => operators) as [
    Domain['operators'],
    Domain['operators'],
  ];
  const [first, second] = [await one.openSession(id), await one.openSession(id)];
  expect(await other.signedIn(first)).toMatchObject({
    name: 'worker',
    role: 'operator',
    hasSecondFactor: true,
  });
  expect(await other.endSession(first)).toBe(true);
  expect([await one.signedIn(first), (await one.signedIn(second))?.name]).toEqual([null, 'worker']);
  expect(await other.endSessions('worker', by)).toBe(1);
  expect(await one.signedIn(second)).toBeNull();
  const third = await one.openSession(id);
  expect(await other.disable('worker', by)).toBe('done');
  expect([await one.signedIn(third), await one.credentials('worker')]).toEqual([null, null]);
});

test('a new role holds in open sessions at once, and needs its second factor', async () => {
  await create('mover', 'admin');
  const { operators } = processes[0]!;
  const session = await operators.openSession(await idOf('mover'));
  expect(await operators.setRole('mover', 'viewer', by)).toBe('done');
  expect((await processes[1]!.operators.signedIn(session))?.role).toBe('viewer');
  await create('plain', 'viewer');
  expect(await operators.setRole('plain', 'approver', by)).toBe('no_second_factor');
  expect(await operators.setRole('nobody', 'viewer', by)).toBe('unknown');
});

test('five attempts a minute are judged for a name and for an address, counted over all processes', async () => {
  const begin = (n: number, subjects: string[]) => processes[n % 2]!.operators.beginAttempt(subjects);
  const allowed = await Promise.all(times(12, (n) => begin(n, ['user ada', `address ${n}`])));
  expect(allowed.filter(Boolean)).toHaveLength(5);
  expect(await begin(0, ['user other', 'address 0'])).toBe(true);
  await books.rows(`update login_attempt set since = since - interval '61 s' where subject = 'user ada'`);
  expect(await begin(1, ['user ada', 'address new'])).toBe(true);
});

test('an attempt that succeeds does not count', async () => {
  const { operators } = processes[0]!;
  for (let n = 0; n < 8; n++) {
    expect(await operators.beginAttempt(['user right'])).toBe(true);
    await operators.forgiveAttempt(['user right']);
  }
});

test('the first person is made only where there is none', async () => {
  const first = { name: 'first', role: 'viewer' as const, passwordHash: 'scrypt$x' };
  expect(await processes[0]!.operators.createFirst(first, by)).toBeNull();
});

test('a reset gives a new second factor and ends the sessions', async () => {
  const before = await create('again', 'operator');
  const { operators } = processes[0]!;
  const id = await idOf('again');
  const session = await operators.openSession(id);
  const after = await operators.reset('again', 'scrypt$y', by);
  expect(await operators.signedIn(session)).toBeNull();
  expect(await operators.useCode(id, codeAt(before, 0))).toBe(false);
  expect(await operators.useCode(id, codeAt(after!, 0))).toBe('totp');
  expect(await operators.useCode(id, before.recoveryCodes[0]!)).toBe(false);
});

test('seeds are sealed again with a new master key, and serve on', async () => {
  const made = await create('sealed', 'operator');
  const both = books.open({ masterKeys: `${SECOND} ${FIRST}`, now: () => new Date(nowMs), poolMax: 2 });
  expect(await both.operators.rekey()).toBeGreaterThan(0);
  expect(await both.operators.rekey()).toBe(0);
  const renewed = books.open({ masterKeys: SECOND, now: () => new Date(nowMs), poolMax: 2 });
  expect(await renewed.operators.useCode(await idOf('sealed'), codeAt(made, 0))).toBe('totp');
});

test('what is done to people is filed and sealed in the chain', async () => {
  await create('filed', 'operator');
  await processes[0]!.operators.disable('filed', by);
  const actions = await books.rows(
    `select verb, actor, role from report.operator_actions where subject = 'user filed' order by at, action_id`,
  );
  expect(actions).toEqual([
    { verb: 'create_user', actor: 'tester', role: 'command_line' },
    { verb: 'disable_user', actor: 'tester', role: 'command_line' },
  ]);
  await books.domain.chain.seal();
  expect((await books.domain.chain.check()).broken).toEqual([]);
});
