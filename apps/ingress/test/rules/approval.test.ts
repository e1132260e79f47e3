import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type Ingress, openIngress } from '../support/ingress.js';

let ingress: Ingress;
let key: Awaited<ReturnType<Ingress['client']>>;
beforeAll(async () => {
  ingress = await openIngress();
  key = await ingress.client({ approvalAbove: { USD: 60_000n } });
});
afterAll(() => ingress.close());

const headers = { 'content-type': 'application/json' };
const body = (perMonth: number) => ({
  ...{ accountId: 'acct-1001', currency: 'USD', watch: 'wallet', below: 1_000, recharge: { upTo: 5_000 } },
  caps: { perRecharge: 5_000, perDay: 20_000, perMonth },
});
const send = (method: string, path: string, given?: object) =>
  ingress.call(method, path, { key, headers, ...(given && { body: JSON.stringify(given) }) });
const decide = (approvalId: string) =>
  ingress.domain.approvals.decide({
    ...{ approvalId, verb: 'approve', reason: 'as tested', actor: 'eve', role: 'approver' },
  });

test('a rule above the limit of its key is stored, rests, and says what it waits for', async () => {
  const made = await send('POST', '/v1/rules', body(100_000));
  expect(made.status).toBe(201);
  const waiting = {
    ...{ reason: 'APPROVAL', approvalId: expect.any(String), since: expect.any(String) },
    ...{ until: expect.any(String), widens: [] },
    detail: 'a second person has to approve the rule; until then it does not act',
  };
  expect(made.body).toMatchObject({
    status: 'paused',
    pausedBecause: 'APPROVAL',
    next: 'held_back',
    waiting,
  });
  const path = `/v1/rules/${made.body.ruleId}`;
  expect((await send('GET', '/v1/rules?status=paused')).body.data).toMatchObject([{ waiting }]);
  const resumed = await send('POST', `${path}/resume`);
  expect(resumed.headers.get('idempotent-replayed')).toBe('true');
  await decide((made.body.waiting as unknown as { approvalId: string }).approvalId);
  expect((await send('GET', path)).body).toMatchObject({
    status: 'active',
    pausedBecause: null,
    waiting: null,
  });
});

test('a change that charges more waits, and the answer names it beside the terms in force', async () => {
  const path = `/v1/rules/${(await send('POST', '/v1/rules', body(50_000))).body.ruleId}`;
  const changed = await send('PATCH', path, { caps: { perMonth: 90_000 } });
  expect([changed.status, changed.body]).toMatchObject([
    200,
    {
      ...{ status: 'active', caps: { perMonth: 50_000 }, consent: { termsVersion: 1 } },
      waiting: {
        detail:
          'a second person has to approve more than is agreed (caps.perMonth: 90000 instead of 50000); until then the rule goes on as it is',
        widens: [{ field: 'caps.perMonth', before: '50000', after: '90000' }],
      },
    },
  ]);
  const lower = await send('PATCH', path, { caps: { perMonth: 40_000 } });
  expect(lower.body).toMatchObject({
    caps: { perMonth: 40_000 },
    waiting: null,
    consent: { termsVersion: 2 },
  });
});

describe('somebody else changes the rule after a change was merged into its terms', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });
  /** A rule, and the same change of it by somebody else, who merges nothing. */
  async function ruled() {
    const path = `/v1/rules/${(await send('POST', '/v1/rules', body(50_000))).body.ruleId}`;
    const id = path.split('/').at(-1)!;
    const { rules } = ingress.domain;
    const change = rules.change.bind(rules);
    const before = (await rules.one(id, null))!;
    const byOthers = (belowMinor: bigint) =>
      change(id, null, {
        ...{ terms: { ...before.terms, belowMinor }, recharge: before.recharge, basedOn: null },
        ...{ keyId: before.keyId, actor: 'others' },
      });
    return { path, change, byOthers };
  }

  test('a version that is approved then stays, and the change is merged into it', async () => {
    const { path, change } = await ruled();
    const waits = await send('PATCH', path, { caps: { perMonth: 90_000 } });
    const { approvalId } = waits.body.waiting as { approvalId: string };
    jest.spyOn(ingress.domain.rules, 'change').mockImplementationOnce(async (...asked) => {
      await decide(approvalId);
      return change(...asked);
    });
    const changed = await send('PATCH', path, { below: 900 });
    expect([changed.status, changed.body]).toMatchObject([
      200,
      { below: 900, caps: { perMonth: 90_000 }, consent: { termsVersion: 3 }, waiting: null },
    ]);
  });

  test('again and again, and the change is refused and changes nothing', async () => {
    const { path, change, byOthers } = await ruled();
    let changes = 0;
    jest.spyOn(ingress.domain.rules, 'change').mockImplementation(async (...asked) => {
      await byOthers(900n - BigInt(++changes));
      return change(...asked);
    });
    const refused = await send('PATCH', path, { cooldownSeconds: 60 });
    expect([refused.status, refused.body]).toMatchObject([409, { code: 'INVALID_STATE' }]);
    expect(changes).toBe(3);
    expect((await send('GET', path)).body).toMatchObject({ below: 897, cooldownSeconds: 0 });
  });
});

test('a rule that waits is paused, which is no repetition the first time', async () => {
  const path = `/v1/rules/${(await send('POST', '/v1/rules', body(100_000))).body.ruleId}`;
  const [first, second] = [await send('POST', `${path}/pause`), await send('POST', `${path}/pause`)];
  expect(first.body).toMatchObject({ status: 'paused', pausedBecause: 'BY_REQUEST', waiting: null });
  expect([first, second].map((answer) => answer.headers.get('idempotent-replayed'))).toEqual([null, 'true']);
});

test.each([
  [60_000, false],
  [60_001, true],
])('a dry run with a month of %d says that it needs an approval: %j', async (perMonth, approval) => {
  const trial = await send('POST', '/v1/rules?dryRun=true', body(perMonth));
  expect([trial.status, trial.body]).toMatchObject([200, { wouldBe: 'accepted', approval }]);
});
