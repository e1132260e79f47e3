import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { agencyRail } from '../../src/alibaba-cloud/rails/agency.js';
import type { Provider } from '../../src/contract/provider.js';
import { anOrder, soon } from '../support/builders.js';
import { openScriptedServer, type Script, type ScriptedServer, says } from '../support/scripted-server.js';

let server: ScriptedServer;
const open = (by: 'deduct' | 'credit_line'): Provider =>
  agencyRail({
    ...{ accessKeyId: 'LTAI1', accessKeySecret: 'secret', endpoint: server.url, timeoutMs: 2_000, by },
    proof: { scans: 3, visibilityDelayMs: 60_000, resubmit: 'person' },
  });
beforeAll(async () => {
  server = await openScriptedServer();
});
afterAll(() => server.close());

const order = anOrder({ amountMinor: 3_000n, destination: { from: null, to: '17001' } });
const credit = (outstanding: string, line = '1,000.00') =>
  says(200, {
    ...{ RequestId: 'R', Success: true, Code: '200' },
    Data: { OutstandingBalance: outstanding, CreditLine: line },
  });
const success = says(200, { RequestId: 'R', Success: true, Code: '200' });

/** Submits an order whose requests are answered one after the other. Returns the outcome and the called actions. */
async function submitted(answers: readonly Script[], by: 'deduct' | 'credit_line' = 'deduct') {
  const left = [...answers];
  server.play((response, request) => left.shift()!(response, request));
  const { outcome } = await open(by).orders.submit(order, soon());
  return [outcome, server.requests.map(({ headers }) => headers['x-acs-action'])];
}

const WRITE = 'DeductOutstandingBalance';
const READ = 'GetCreditInfo';

test('a success settles only if the balance fell by exactly the amount', async () => {
  const actions = [READ, WRITE, READ];
  const settled = expect.objectContaining({ kind: 'settled', amountMinor: 3_000n });
  const accepted = expect.objectContaining({ kind: 'accepted', providerOrderId: null });
  expect(await submitted([credit('50.00'), success, credit('20.00')])).toEqual([settled, actions]);
  expect(await submitted([credit('10.00'), success, credit('-20.00')])).toEqual([settled, actions]);
  // Usage in between raises what is owed, so only the history shows the deduction later.
  expect(await submitted([credit('50.00'), success, credit('20.01')])).toEqual([accepted, actions]);
  expect(await submitted([credit('50.00'), success, credit('50.00')])).toEqual([accepted, actions]);
  expect(await submitted([credit('50.00'), success, says(500, '<html>')])).toEqual([accepted, actions]);
});

test.each<[string, Script, object]>([
  ['HTML', says(200, '<html>'), { kind: 'unknown', cause: 'unreadable' }],
  ['no Success', says(200, { RequestId: 'R' }), { kind: 'unknown', cause: 'unreadable' }],
  [
    'an error that no list has',
    says(400, { Code: 'Error1109', Message: 'm' }),
    { kind: 'unknown', code: 'Error1109' },
  ],
  ['500', says(500, { Code: 'InternalError', Message: 'm' }), { kind: 'unknown', cause: 'server_error' }],
  ['a reset', (response) => response.socket?.resetAndDestroy(), { kind: 'unknown', cause: 'disconnected' }],
])(
  'a deduction that is answered with %s is unknown, although the balance fell',
  async (_what, answer, outcome) => {
    const [found, actions] = await submitted([credit('50.00'), answer, credit('20.00')]);
    expect(found).toMatchObject(outcome);
    expect(actions).toEqual([READ, WRITE, READ]);
  },
);

test('a refusal for good and a rate limit are no reason to read again', async () => {
  const frozen = says(400, { Code: 'Error3040', Message: 'frozen' });
  expect(await submitted([credit('50.00'), frozen])).toEqual([
    expect.objectContaining({ kind: 'rejected', code: 'Error3040' }),
    [READ, WRITE],
  ]);
  const busy = says(400, { Code: 'Throttling.User', Message: 'm' }, { 'x-acs-retry-after': '1000' });
  expect(await submitted([credit('50.00'), busy])).toEqual([
    expect.objectContaining({ kind: 'not_executed', cause: 'rate_limited' }),
    [READ, WRITE],
  ]);
});

test('a credit that cannot be read sends nothing', async () => {
  for (const answer of [says(500, '<html>'), says(200, { Data: { CreditLine: '1' } }), credit('1,00.00')])
    expect(await submitted([answer])).toEqual([{ kind: 'not_executed', cause: 'unavailable' }, [READ]]);
});

test('a credit line is set to what it was plus the amount, and settles by that value alone', async () => {
  const lost: Script = (response) => response.socket?.resetAndDestroy();
  const both = [credit('50.00'), lost] as const;
  const by = 'credit_line';
  expect((await submitted([...both, credit('50.00', '1,030.00')], by))[0]).toMatchObject({ kind: 'settled' });
  expect(server.requests[1]!.body).toContain('CreditLine=1030.00');
  for (const line of ['1,000.00', '1,030.01'])
    expect((await submitted([...both, credit('50.00', line)], by))[0]).toMatchObject({ kind: 'unknown' });
});
