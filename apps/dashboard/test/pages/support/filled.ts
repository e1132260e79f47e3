import { newsOfSubmit } from '@replenish/assembly';
import type { Attempt } from '@replenish/providers';
import { newId } from '@replenish/runtime';
import { execute, newRecharge } from '@replenish/testing';
import { addRuleKey, createPlan, createRule, RULE_KEY } from './automation.js';
import { CLIENT, type Said, type ServedConsole, troubles } from './console.js';

/** Every page of the console, where `{late}` stands for an id of `FilledIds`. */
export const filledPages = [
  ...['/', '/recharges', '/recharges?status=FAILED&from=2026-01-01', '/recharges?q=no-such-thing'],
  ...['/recharges/{late}', '/recharges/{silent}', '/recharges/{absent}', '/recharges/{proven}'],
  ...['/recharges/{settled}', '/recharges/{failed}', '/recharges/{canceled}', '/recharges/{mended}'],
  ...['/recharges/{down}', '/recharges/{created}', '/recharges/{approval_of}'],
  ...['/recharges/{silent}/recheck', '/recharges/{created}/cancel', '/recharges/{settled}/cancel'],
  ...['/cases', '/cases?status=closed', '/cases?desk=overdue&order=due', '/cases?kind=late_money'],
  ...['/cases/{case}', '/cases/{closed_case}', '/cases/{case}/adopt', '/cases/{closed_case}/dismiss'],
  ...['/cases/{case}/assign', '/cases/{case}/due', '/cases/{case}/comment', '/cases/{case}/send'],
  ...['/bulk', '/bulk/{bulk}', '/bulk/{bulk}/start', '/bulk/{bulk}/stop'],
  ...['/bulk/new?verb=recheck', '/bulk/new?verb=dismiss'],
  ...['/accounts', '/accounts/acct-1', '/providers', '/callbacks', '/callbacks/{delivery}/replay'],
  ...['/rules', '/rules/{rule}', '/rules/{rule}/pause', '/rules/stop', '/rules/start'],
  ...['/plans', '/plans/{plan}', '/plans/{plan}/pause'],
  ...['/approvals', '/approvals?status=refused', '/approvals/{approval}', '/approvals/{approval}/approve'],
  ...['/approvals/{rule_approval}', '/approvals/{rule_approval}/refuse'],
  ...['/clients', '/clients/new', `/clients/${RULE_KEY}/rotate`, '/audit', '/security'],
];

const rechargeNames = [
  ...(['late', 'silent', 'absent', 'proven', 'settled', 'failed', 'canceled', 'mended'] as const),
  ...(['down', 'created', 'approval_of'] as const),
];
const thingNames = [
  ...(['case', 'closed_case', 'bulk', 'delivery', 'rule', 'plan', 'approval', 'rule_approval'] as const),
];
export type FilledIds = Readonly<
  Record<(typeof rechargeNames)[number] | (typeof thingNames)[number], string>
>;

const MIA = { actor: 'mia', role: 'admin' };

/** Puts something of every kind into the books, so that no table of the console is empty. */
export async function fillBooks(served: ServedConsole): Promise<FilledIds> {
  const recharges = await fillRecharges(served);
  await addRuleKey(served);
  await execute(served.databaseUrl, rowsOf(recharges));
  const [delivery] = (
    await served.domain.console.callbackDeliveries({ status: 'failed', beforeId: null, limit: 1 })
  ).rows;
  return {
    ...recharges,
    ...(await fillCases(served, recharges)),
    ...(await fillAutomation(served)),
    delivery: delivery!.id,
    approval: await approvalOf(served, recharges.approval_of),
    bulk: await fillBulk(served, recharges.silent),
  };
}

type FilledRecharges = Pick<FilledIds, (typeof rechargeNames)[number]>;

async function fillRecharges(served: ServedConsole): Promise<FilledRecharges> {
  const submit: Said = ['submit', { source: 'submission', reason: 'to be sent to sandbox' }];
  const took: Said = ['accepted', newsOfSubmit({ kind: 'accepted', providerOrderId: 'order-7' }, 'sandbox')];
  const refused = newsOfSubmit({ kind: 'rejected', code: 'card_declined', message: '余额不足' }, 'sandbox');
  const settled = await served.recharge(
    { accountId: 'acct-1', orderReference: 'PO-7', metadata: { shop: '7' } },
    submit,
    took,
    ['settled', { providerOrderId: 'order-7', reason: 'sandbox event msg_7: settled' }],
  );
  await served.recharge({ accountId: 'acct-3' }, ...troubles.absent);
  const proof = { reason: 'PROOF', done: 1, needed: 3, notBefore: '2099-01-01T00:00:00Z' } as const;
  const canceled: Said = ['withdraw', { source: 'client', reason: 'its client cancels it' }];
  await served.domain.createRefund({
    ...{ id: newId(), clientId: CLIENT, idempotencyKey: 'refund-1', of: settled, amountMinor: 100n },
    ...{ reason: 'as tested', correlationId: 'c-1' },
  });
  return {
    late: await served.recharge({ accountId: 'acct-1' }, ...troubles.late),
    silent: await asked(served, await served.recharge({ accountId: 'acct-2' }, submit, took)),
    absent: await served.recharge({ accountId: 'acct-3' }, ...troubles.absent),
    proven: await served.recharge({ accountId: 'acct-4' }, submit, [
      'unknown',
      { source: 'poll', reason: 'sandbox has no such order', waiting: proof },
    ]),
    settled,
    failed: await served.recharge({ callbackUrl: 'https://shop.example/7' }, submit, ['declined', refused]),
    canceled: await served.recharge({}, canceled),
    mended: await served.recharge({}, ...troubles.absent, ['settled', { providerOrderId: 'order-1' }]),
    down: await served.recharge({ provider: 'stripe', providerAccount: 'eu' }, submit, ['unknown']),
    created: await served.recharge(),
    approval_of: await waitingForApproval(served),
  };
}

/** The provider was asked about a recharge, with every answer that there is. */
async function asked({ domain }: ServedConsole, id: string): Promise<string> {
  const answers = {
    query: ['found', 'absent', 'several', 'unknown', 'not_executed'],
    cancel: ['canceled', 'settled', 'pending', 'still_payable'],
  } as const satisfies Record<string, readonly Attempt['outcome'][]>;
  const calls = (['query', 'cancel'] as const).flatMap((operation) =>
    answers[operation].map((outcome, n) => ({
      ...{ id: newId(), operation, attempt: n + 1, outcome, providerCode: null, httpStatus: 200 },
      ...{ startedAt: new Date(Date.now() - 70_000), endedAt: new Date(Date.now() - n), evidence: null },
    })),
  );
  const news = { news: 'unknown', source: 'poll', reason: 'sandbox does not say: unproven' } as const;
  await domain.applyNews({ transactionId: id, ...news, calls });
  return id;
}

async function waitingForApproval({ domain }: ServedConsole): Promise<string> {
  const [wanted, unwanted] = [newRecharge({ clientId: CLIENT }), newRecharge({ clientId: CLIENT })];
  for (const ask of [wanted, unwanted]) await domain.createRecharge({ ...ask, approvalAboveMinor: 100n });
  const { rows } = await domain.approvals.list({ limit: 10 });
  const { approvalId } = rows.find(({ subject }) => subject === unwanted.id)!;
  await domain.approvals.decide({
    approvalId,
    verb: 'refuse',
    reason: 'as tested',
    actor: 'leo',
    role: 'approver',
  });
  return wanted.id;
}

async function approvalOf({ domain }: ServedConsole, id: string): Promise<string> {
  const { rows } = await domain.approvals.list({ limit: 10 });
  return rows.find(({ subject }) => subject === id)!.approvalId;
}

/** What no verb of the domain writes by itself, or only a worker. */
const rowsOf = ({ silent, failed }: FilledRecharges): string => `
  insert into provider_breaker (provider, provider_account, operation, open_until, opened_at) values
    ('stripe', 'eu', 'submit', now() + interval '1 min', now() - interval '2 min'),
    ('stripe', 'us', 'refund_query', now() + interval '1 min', now() - interval '2 h');
  insert into pool (provider, provider_account, currency, transferable_minor, read_at)
    values ('sandbox', 'main', 'USD', 123456789, now() - interval '3 min');
  insert into webhook_event
    (id, provider, event_id, transaction_id, raw_body, body_hash, correlation_id, stored_at, processed_at, due_at, verdict)
  values
    ('${newId()}', 'sandbox', 'msg_1', '${silent}', '\\x00', '\\x00', 'c', now() - interval '2 d', null, now(), 'unread'),
    ('${newId()}', 'sandbox', 'msg_2', '${silent}', '{"a": 1}', '\\x01', 'c', now(), now(), null, 'stale');
  update callback_delivery set status = 'failed', due_at = null, tries = 1,
    attempts = '[{"at": "2026-11-28T00:00:00Z", "httpStatus": null, "error": "no answer within 10000 ms", "durationMs": 3}]'
    where transaction_id = '${failed}';
  insert into callback_endpoint (id, client_id, url, accounts, status, disabled_because, disabled_at, secret_sealed)
    values ('${newId()}', '${CLIENT}', 'https://shop.example/7', '{%}', 'disabled', 'FAILING', now(), '\\x00');
  insert into security_event (rule, client_id, key_id, origin, count, detail) values
    ('velocity', '${CLIENT}', null, null, 1, '200 recharges, usually 7'),
    ('guessing', '${CLIENT}', '${RULE_KEY}', '10.0.0.7', 7, null);
  insert into key_lock (key_id, origin, rule, until)
    values ('${RULE_KEY}', '10.0.0.7', 'bad_signature', now() + interval '9 min');
  insert into audit_call
    (id, at, ip, client_id, key_id, method, route, params, account_id, status, duration_ms, correlation_id)
  values ('${newId()}', now(), '10.0.0.7', '${CLIENT}', '${RULE_KEY}', 'POST', '/v1/recharges', '{}', 'acct-1', 201, 7.5,
    '${newId()}');`;

async function fillCases(
  { domain }: ServedConsole,
  { late, absent }: FilledRecharges,
): Promise<Pick<FilledIds, 'case' | 'closed_case'>> {
  const caseOf = async (transactionId: string): Promise<string> =>
    (await domain.cases.list({ viewer: null, transactionId, limit: 1 }, () => true)).rows[0]!.id;
  const [open, closed] = [await caseOf(late), await caseOf(absent)];
  const { desk, notices, operators, payees } = domain;
  await notices.openChannels(['slack', 'feishu']);
  await desk.assign({ caseId: open, version: 0, assignee: 'mia' }, MIA);
  await desk.setDue({ caseId: open, version: 1, dueAt: new Date(0) }, MIA);
  await desk.comment({ caseId: open, text: 'as tested', form: newId() }, MIA);
  await domain.cases.resolve(
    {
      ...{ caseId: closed, verb: 'dismiss', reason: 'as tested', ...MIA, viewer: null },
      ...{ idempotencyKey: null, evidence: null },
    },
    () => true,
  );
  const filed = [
    ['sign_in', 'user mia', 'from 10.0.0.7'],
    ['sign_in', 'user mia', 'by single sign-on, from 10.0.0.7'],
    ['sign_in_refused', 'user mia', 'wrong password or code from 10.0.0.7'],
    ['use_recovery_code', 'user mia', 'instead of the second factor'],
    ['sign_out', 'user mia', 'signed out'],
    ['create_user', 'user mia', 'role operator, by single sign-on'],
    ['set_role', 'user mia', 'role admin'],
    ['disable_user', 'user leo', 'disabled'],
    ['reset_user', 'user leo', 'new password and second factor'],
    ['end_sessions', 'user *', 'of all people'],
    ['console_stop', 'all rules', 'as tested'],
    ['bulk_start', 'bulk recheck 7', 'as tested'],
  ] as const;
  for (const [verb, subject, reason] of filed) await operators.file({ ...MIA, verb, subject, reason });
  await payees.set(
    {
      ...{ accountId: 'acct-1', provider: 'alibaba_cloud', providerAccount: 'main' },
      ...{ from: '700', to: '701', currency: 'USD' },
    },
    'operator',
  );
  return { case: open, closed_case: closed };
}

async function fillAutomation(
  served: ServedConsole,
): Promise<Pick<FilledIds, 'rule' | 'rule_approval' | 'plan'>> {
  const { rules, plans } = served.domain;
  const rule = await createRule(served, { accountId: 'acct-7' });
  for (const isStopped of [true, false]) await rules.setStopped(isStopped, 'mia');
  await rules.look(rule, () => ({ provider: 'sandbox', providerAccount: 'main' }));
  const { terms, recharge, keyId } = (await rules.one(rule, null))!;
  const limited = (limits: string): Promise<unknown> =>
    execute(served.databaseUrl, `update api_key set approval_above = '${limits}' where id = '${keyId}'`);
  await limited('{"USD": "100"}');
  const wider = { ...terms, belowMinor: 2_000n, recharge: { upToMinor: 9_000n } };
  const viewer = { clientId: CLIENT, accountPatterns: ['%'] };
  const asks = { terms: wider, recharge, keyId, actor: 'shop', basedOn: null };
  const changed = await rules.change(rule, viewer, asks);
  if (!changed || changed === 'changed_since' || !changed.waiting) throw new Error('no version waits');
  await limited('{}');
  const plan = await createPlan(served, { lines: 3, name: '2026-11' });
  const refusal = { place: 1, code: 'INVALID_ARGUMENT', message: 'the account has no payee' };
  await plans.work.advance(plan, 3, [refusal], [2]);
  const stopped = await createPlan(served, { lines: 1, name: '2026-12' });
  await plans.move({ planId: stopped, verb: 'pause', by: 'operator', because: 'KEY_GONE' });
  return { rule, rule_approval: changed.waiting.approvalId, plan };
}

/** A bulk verb that is prepared, and one whose items are done. Returns the id of the first. */
async function fillBulk({ domain, databaseUrl }: ServedConsole, subject: string): Promise<string> {
  const items = [{ subject, amountMinor: 100n, currency: 'USD' }];
  const verb = { verb: 'recheck', filter: '/recharges', isCut: true, reason: 'as tested', items } as const;
  const done = await domain.bulks.create(verb, MIA);
  await execute(
    databaseUrl,
    `update bulk_item set outcome = 'nothing_under_way', done_at = now() where bulk_id = '${done}';
     update bulk_verb set status = 'finished', ended_at = now() where id = '${done}'`,
  );
  return domain.bulks.create(verb, MIA);
}
