import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { meaningOfCode } from '../../src/alibaba-cloud/codes.js';
import { type CloudRpc, openRpc } from '../../src/alibaba-cloud/rpc.js';
import { soon } from '../support/builders.js';
import { openScriptedServer, type ScriptedServer, says } from '../support/scripted-server.js';

let server: ScriptedServer;
let rpc: CloudRpc;
const access = { accessKeyId: 'LTAI-test', accessKeySecret: 'secret', timeoutMs: 1_000 };
const open = (endpoint: string, timeoutMs = 1_000) => openRpc({ ...access, endpoint, timeoutMs });
const call = (one = rpc, signal = soon()) =>
  one.call({ version: '2023-09-30', action: 'X', form: { A: '1' } }, signal);
beforeAll(async () => {
  server = await openScriptedServer();
  rpc = open(server.url);
});
afterAll(() => server.close());

test('numbers of an answer keep every digit', async () => {
  server.play(says(200, '{"RequestId":"R","Id":6210322125051645960}'));
  expect(await call()).toMatchObject({ kind: 'answered', json: { Id: '6210322125051645960' } });
});

test.each<[string, string]>([
  ['a false Success', '{"Success":false,"Code":"NoPermission","Message":"m"}'],
  ['a code of an error', '{"Code":"NoPermission","Message":"m"}'],
])('%s under HTTP 200 is a refusal', async (_what, body) => {
  server.play(says(200, body));
  expect(await call()).toMatchObject({ kind: 'refused', status: 200, code: 'NoPermission' });
});

test.each(['{"Success":false}', '{"Success":false,"Code":"200"}', '{"Success":"false","Code":"Success"}'])(
  '%s is a refusal without a code of an error, so it is in no list',
  async (body) => {
    server.play(says(200, body));
    expect(await call()).toMatchObject({ kind: 'refused', status: 200 });
  },
);

test.each(['{"Code":200}', '{"Code":"200"}', '{"Code":"Success"}', '{}'])('%s is a success', async (body) => {
  server.play(says(200, body));
  expect(await call()).toMatchObject({ kind: 'answered' });
});

const unreadable = { kind: 'unanswered', outcome: { kind: 'unknown', cause: 'unreadable' } };

test.each<[string, number, string]>([
  ['HTML under 200', 200, '<html>'],
  ['nothing under 200', 200, ''],
  ['a list', 200, '[]'],
  ['null', 200, 'null'],
  ['a redirect', 302, '{}'],
  ['HTML under 502', 502, '<html>'],
  ['null under 500', 500, 'null'],
])('%s is unreadable', async (_what, status, body) => {
  server.play(says(status, body));
  expect(await call()).toEqual(unreadable);
});

test('an error without a code is refused without one, so it is in no list', async () => {
  server.play(says(400, '{}'));
  expect(await call()).toMatchObject({ kind: 'refused', status: 400, code: '' });
});

test('silence and a reset are unknown, and the SDK does not call again', async () => {
  server.play(() => {});
  const unknown = (cause: string) => ({ kind: 'unanswered', outcome: { kind: 'unknown', cause } });
  expect(await call(open(server.url, 200))).toEqual(unknown('timeout'));
  expect(await call(rpc, soon(200))).toEqual(unknown('timeout'));
  expect(server.requests).toHaveLength(2);
  server.play((response) => response.socket?.resetAndDestroy());
  expect(await call()).toEqual(unknown('disconnected'));
  expect(server.requests).toHaveLength(1);
});

test('an answer that breaks off in its body is unknown', async () => {
  server.play((response) => {
    response.writeHead(200, { 'content-length': '100' }).write('{"RequestId"');
    setTimeout(() => response.socket?.destroy(), 50);
  });
  expect(await call()).toMatchObject({ kind: 'unanswered', outcome: { kind: 'unknown' } });
});

describe('the clock', () => {
  const MINUTE_MS = 60_000;
  const refused = (date: Date) =>
    says(400, { Code: 'InvalidTimeStamp.Expired', Message: 'm' }, { date: date.toUTCString() });
  /** How many minutes the date of the last call is ahead of ours. */
  const ahead = () => {
    const atMs = Date.parse(String(server.requests.at(-1)!.headers['x-acs-date']));
    return Math.round((atMs - Date.now()) / MINUTE_MS) || 0;
  };
  const inMinutes = (minutes: number) => new Date(Date.now() + minutes * MINUTE_MS);

  test.each([25, -25])(
    'an answer that refuses a call for its time teaches that ours is %p minutes off',
    async (off) => {
      const own = open(server.url);
      server.play(refused(inMinutes(off)));
      expect(await call(own)).toMatchObject({ kind: 'refused', code: 'InvalidTimeStamp.Expired' });
      server.play(says(200, '{}', { date: inMinutes(off).toUTCString() }));
      expect(await call(own)).toMatchObject({ kind: 'answered' });
      expect(ahead()).toBe(off);
      server.play(refused(inMinutes(0)));
      await call(own);
      await call(own);
      expect(ahead()).toBe(0);
    },
  );

  test.each([
    ['of 1970', new Date(0)],
    ['in a year', inMinutes(525_600)],
    ['31 minutes ahead', inMinutes(31)],
    ['that is none', new Date(Number.NaN)],
  ])('a date %s is not believed', async (_what, date) => {
    const own = open(server.url);
    server.play(refused(date));
    await call(own);
    await call(own);
    expect(ahead()).toBe(0);
  });

  test('other answers teach nothing, and a rail that tells orders by their time keeps our clock', async () => {
    const own = open(server.url);
    server.play(says(400, { Code: 'MissingParameter' }, { date: inMinutes(20).toUTCString() }));
    await call(own);
    await call(own);
    expect(ahead()).toBe(0);
    const agency = openRpc({ ...access, endpoint: server.url }, null);
    server.play(refused(inMinutes(20)));
    await call(agency);
    await call(agency);
    expect(ahead()).toBe(0);
  });
});

test('a call that is aborted before it begins sends nothing', async () => {
  server.play(says(200, '{}'));
  const outcome = { kind: 'not_executed', cause: 'unreachable' };
  expect(await call(rpc, AbortSignal.abort())).toEqual({ kind: 'unanswered', outcome });
  expect(server.requests).toEqual([]);
});

test('a server that does not listen, or has no address, got nothing', async () => {
  const gone = await openScriptedServer();
  await gone.close();
  for (const endpoint of [gone.url, 'http://no-such-host.invalid'])
    expect(await call(open(endpoint))).toMatchObject({
      kind: 'unanswered',
      outcome: { kind: 'not_executed', cause: 'unreachable' },
    });
});

describe('a key that is not valid any more', () => {
  const keys = (n: number) => ({
    accessKeyId: `STS.${n}`,
    accessKeySecret: `s${n}`,
    securityToken: `token-${n}`,
  });
  const refusal = (code: string) => says(400, JSON.stringify({ Code: code, Message: 'm' }));
  const tokens = () => server.requests.map(({ headers }) => headers['x-acs-security-token']);

  test.each([
    'InvalidSecurityToken.Expired',
    'InvalidSecurityToken.Malformed',
    'InvalidAccessKeyId.NotFound',
  ])('is read again after %s, and the next call has it', async (code) => {
    let read = 0;
    const renew = () => keys(++read);
    const one = openRpc({ ...keys(0), endpoint: server.url, timeoutMs: 30_000, renew });
    server.play(refusal(code));
    expect(await call(one, soon(30_000))).toMatchObject({ kind: 'refused', code });
    expect(meaningOfCode({ status: 400, code, message: 'm' })).toEqual({
      ...{ kind: 'not_executed', cause: 'unavailable', code },
    });
    expect(tokens()).toEqual(['token-0']);
    server.play(says(200, '{}'));
    expect(await call(one, soon(30_000))).toMatchObject({ kind: 'answered' });
    expect([tokens().at(-1), read]).toEqual(['token-1', 1]);
  });

  test('stays as it is where another answer came, or where it cannot be read again', async () => {
    let read = 0;
    const renew = () => keys(++read);
    const one = openRpc({ ...keys(0), endpoint: server.url, timeoutMs: 30_000, renew });
    server.play(refusal('NoPermission'));
    await call(one, soon(30_000));
    expect(read).toBe(0);
    const fixed = openRpc({ ...keys(0), endpoint: server.url, timeoutMs: 30_000 });
    server.play(refusal('InvalidSecurityToken.Expired'));
    await call(fixed, soon(30_000));
    server.play(says(200, '{}'));
    await call(fixed, soon(30_000));
    expect(tokens().at(-1)).toBe('token-0');
  });
});
