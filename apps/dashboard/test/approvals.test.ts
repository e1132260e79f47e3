import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { execute, newRecharge } from '@replenish/testing';
import { cookieIn, PASSWORD, type Person, type ServedDashboard, serveDashboard } from './served.js';

let dashboard: ServedDashboard;
let admin: Person;
let approver: Person;
let operator: Person;
beforeAll(async () => {
  dashboard = await serveDashboard();
  [admin, approver, operator] = [
    await dashboard.person('root', 'admin'),
    await dashboard.person('eve', 'approver'),
    await dashboard.person('olga', 'operator'),
  ];
});
afterAll(() => dashboard.close());
// Wrong attempts of one test must not close the login for the next one.
beforeEach(() => execute(dashboard.database.url, 'truncate login_attempt'));

const by = { actor: 'test', role: 'command_line' };
const login = (username: string, code: string, headers = {}) =>
  dashboard.login(PASSWORD, headers, { username, code });

/** A recharge that waits for an approval, with the path of the approval. */
async function waiting(over = {}): Promise<{ id: string; path: string }> {
  const ask = newRecharge({ amountMinor: 5_000n, ...over });
  const created = await dashboard.domain.createRecharge({ ...ask, approvalAboveMinor: 100n });
  if (!created.ok) throw new Error(created.problem);
  const { rows } = await dashboard.domain.approvals.list({ limit: 100 });
  const approval = rows.find(({ subject }) => subject === ask.id)!;
  return { id: ask.id, path: `/v1/approvals/${approval.approvalId}` };
}

const stateOf = async (id: string) => {
  const found = (await dashboard.domain.reads.recharge(id))!;
  return [found.state, found.nextStep];
};

test('an approver approves with a fresh code, and the recharge goes on', async () => {
  const { id, path } = await waiting();
  const session = await approver.signIn();
  const answer = await dashboard.send('POST', `${path}/approve`, session, { code: approver.code() });
  expect([answer.status, await answer.json()]).toEqual([
    200,
    expect.objectContaining({ status: 'approved', decidedBy: 'eve', subject: id }),
  ]);
  expect(await stateOf(id)).toEqual(['CREATED', 'submit']);
});

test('to refuse needs a reason, and the code is not used up without one', async () => {
  const { id, path } = await waiting();
  const session = await approver.signIn();
  const code = approver.code();
  const send = (fields: Record<string, string>) =>
    dashboard.send('POST', `${path}/refuse`, { ...session, 'x-totp-code': code }, fields);
  const [without, right] = [await send({}), await send({ reason: 'too much' })];
  expect([without.status, right.status, await right.json()]).toEqual([
    400,
    200,
    expect.objectContaining({ status: 'refused', reason: 'too much' }),
  ]);
  expect(await stateOf(id)).toEqual(['CANCELED', null]);
});

test('approvals are listed by status, for everybody who is signed in, and for nobody else', async () => {
  await waiting();
  const { id } = await waiting();
  const viewer = await dashboard.signIn();
  const pending = await (await dashboard.get('/v1/approvals?status=pending&limit=1', viewer)).json();
  expect(pending).toEqual({
    data: [
      expect.objectContaining({
        ...{ kind: 'recharge', subject: id, status: 'pending', requestedBy: expect.any(String) },
        ...{ approvalId: expect.any(String), hash: expect.any(String) },
        recharge: expect.objectContaining({ transactionId: id, amount: 5_000, currency: 'USD' }),
      }),
    ],
    nextCursor: expect.anything(),
  });
  const next = await (
    await dashboard.get(`/v1/approvals?limit=1&cursor=${pending.nextCursor}`, viewer)
  ).json();
  expect(next.data[0].approvalId).not.toBe(pending.data[0].approvalId);
  const refused = await Promise.all(
    ['?status=odd', '?limit=0', '?limit=101', '?what=1'].map((query) =>
      dashboard.get(`/v1/approvals${query}`, viewer),
    ),
  );
  expect(refused.map(({ status }) => status)).toEqual([400, 400, 400, 400]);
  expect((await dashboard.get('/v1/approvals')).status).toBe(401);
});

test.each<[what: string, send: (path: string) => Promise<Response>, status: number]>([
  ['nobody', (path) => dashboard.send('POST', `${path}/approve`, {}, { code: approver.code() }), 401],
  [
    'a viewer with the token of the form',
    async (path) => {
      const { cookie } = await dashboard.signIn();
      const { csrfToken } = await (await dashboard.get('/v1/session', { cookie })).json();
      return dashboard.send('POST', `${path}/approve`, { cookie }, { _csrf: csrfToken, code: '123456' });
    },
    403,
  ],
  [
    'an operator',
    async (path) =>
      dashboard.send('POST', `${path}/approve`, await operator.signIn(), { code: operator.code() }),
    403,
  ],
  [
    'an approver without the token of the form',
    async (path) => {
      const { cookie } = await approver.signIn();
      return dashboard.send('POST', `${path}/approve`, { cookie }, { code: approver.code() });
    },
    403,
  ],
  [
    'an approver with the token of another session',
    async (path) => {
      const { 'x-csrf-token': token } = await admin.signIn();
      const { cookie } = await approver.signIn();
      const headers = { cookie, 'x-csrf-token': token };
      return dashboard.send('POST', `${path}/approve`, headers, { code: approver.code() });
    },
    403,
  ],
  [
    "an approver's browser on another site",
    async (path) => {
      const headers = { ...(await approver.signIn()), origin: 'https://evil.example' };
      return dashboard.send('POST', `${path}/approve`, headers, { code: approver.code() });
    },
    403,
  ],
  [
    'an approver without a code',
    async (path) => dashboard.send('POST', `${path}/approve`, await approver.signIn()),
    403,
  ],
  [
    'an approver with the code of the login',
    async (path) => {
      const code = approver.code();
      const cookie = cookieIn(await login('eve', code));
      const { csrfToken } = await (await dashboard.get('/v1/session', { cookie })).json();
      return dashboard.send('POST', `${path}/approve`, { cookie }, { _csrf: csrfToken, code });
    },
    403,
  ],
  [
    "an approver with another person's code",
    async (path) =>
      dashboard.send('POST', `${path}/approve`, await approver.signIn(), { code: operator.code() }),
    403,
  ],
])('%s approves nothing', async (_who, send, status) => {
  const { id, path } = await waiting();
  const answer = await send(path);
  expect(answer.status).toBe(status);
  expect(await stateOf(id)).toEqual(['CREATED', 'approve']);
});

test('a code approves one thing only', async () => {
  const [one, other] = [await waiting(), await waiting()];
  const session = await approver.signIn();
  const code = approver.code();
  const statuses = [];
  for (const { path } of [one, other])
    statuses.push((await dashboard.send('POST', `${path}/approve`, session, { code })).status);
  expect(statuses).toEqual([200, 403]);
  expect(await stateOf(other.id)).toEqual(['CREATED', 'approve']);
});

test('five wrong codes at a verb close it for the rest of the minute, also for a right one', async () => {
  const { id, path } = await waiting();
  const session = await approver.signIn();
  const send = async (code: string) =>
    (await dashboard.send('POST', `${path}/approve`, session, { code })).status;
  const statuses = [];
  for (let n = 0; n < 5; n++) statuses.push(await send('000000'));
  expect([...statuses, await send(approver.code())]).toEqual([403, 403, 403, 403, 403, 429]);
  expect(await stateOf(id)).toEqual(['CREATED', 'approve']);
});

test('who made the key cannot approve, through whatever session', async () => {
  const asked = { name: 'shop', env: 'test' as const, scopes: [], accounts: ['*'] };
  const key = await dashboard.domain.clients.create(asked, { actor: 'root', role: 'admin' });
  const { id, path } = await waiting({ clientId: key.clientId });
  const sessions = [await admin.signIn(), await admin.signIn()];
  const answers = [];
  for (const session of sessions)
    answers.push(await dashboard.send('POST', `${path}/approve`, session, { code: admin.code() }));
  expect(answers.map(({ status }) => status)).toEqual([403, 403]);
  expect(await answers[0]!.json()).toMatchObject({
    code: 'UNAUTHORIZED',
    detail: expect.stringMatching(/who asked/),
  });
  expect(await stateOf(id)).toEqual(['CREATED', 'approve']);
});

test('a role that is taken away in mid-session counts at once, and so does a person who is disabled', async () => {
  const person = await dashboard.person('frank', 'approver');
  const { path } = await waiting();
  const session = await person.signIn();
  const send = async () =>
    (await dashboard.send('POST', `${path}/approve`, session, { code: person.code() })).status;
  await dashboard.domain.operators.setRole('frank', 'viewer', by);
  expect(await send()).toBe(403);
  await dashboard.domain.operators.setRole('frank', 'approver', by);
  await dashboard.domain.operators.disable('frank', by);
  expect(await send()).toBe(401);
  expect((await login('frank', person.code())).status).toBe(401);
});

test('what is decided already, or does not exist, is answered as such', async () => {
  const { path } = await waiting();
  const session = await approver.signIn();
  const send = (at: string) => dashboard.send('POST', at, session, { code: approver.code() });
  const statuses = [];
  for (const at of [`${path}/approve`, `${path}/approve`, '/v1/approvals/nothing/approve'])
    statuses.push((await send(at)).status);
  expect(statuses).toEqual([200, 409, 404]);
});
