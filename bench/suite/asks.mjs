import { randomUUID } from 'node:crypto';
import { rows } from './ground.mjs';

/** The scopes that the key of the measurement needs. */
export const SCOPES = [
  ...['recharges:write', 'recharges:read', 'balances:read', 'audit:read', 'cases:read', 'ledger:read'],
  ...['callbacks:read', 'rules:read', 'plans:read', 'reconciliation:read'],
];

// Some answers are as large as what is asked for: a month of a busy account, a day of all accounts, a whole plan. Such
// a request is made a few times, and has no goal.
const WHOLE = { requests: 3, isWhole: true };
/** The scope of a second key, which is one of another client. It reads what belongs to all clients. */
export const ALL_CLIENTS = ['finance:read'];

/** The requests to measure. Their filters name common values, rare values and values that no row has. */
export async function asksOf(url, recharges, clientId) {
  const [{ id, at }] = await rows(
    url,
    `select id, created_at as at from recharge_transaction order by created_at limit 1 offset ${recharges * 0.3}`,
  );
  const known = { id, at, clientId, deep: deepCursor(id), ...(await idsOf(url)) };
  const paths = { ...ofRecharges(known), ...ofAudit(), ...ofCases(known), ...ofAutomation(known) };
  const asks = Object.entries(paths).map(([what, path]) => ({ what, path, expected: 200 }));
  const reads = Object.entries(ofConsole(known)).map(([what, read]) => ({ what, read }));
  const create = { what: 'create', path: '/v1/recharges', expected: 202, body: newBody };
  return [...asks, ...ofFinance(known), ...whole(known), ...reads, create];
}

const deepCursor = (id) => `cursor=${Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url')}`;

/** The newest rule, plan and run, and a case, a delivery and a run from the middle. */
async function idsOf(url) {
  const newest = (table) => `(select id from ${table} order by id desc limit 1)`;
  const middle = (table) => `(select id from ${table} where id > ${middleOf(table)} order by id limit 1)`;
  const [ids] = await rows(
    url,
    `select ${newest('recharge_rule')} as rule, ${newest('recharge_plan')} as plan,
      ${middle('reconciliation_case')} as "someCase", ${middle('callback_delivery')} as delivery,
      ${middle('reconciliation_run')} as run, ${newest('callback_endpoint')} as endpoint`,
  );
  return ids;
}

const middleOf = (table) =>
  `(select id from ${table} offset (select reltuples::bigint / 2 from pg_class where relname = '${table}') limit 1)`;

const windowOf = (at, from, to) =>
  `${from}=${new Date(at.getTime() - 3_600_000).toISOString()}&${to}=${at.toISOString()}`;

function ofRecharges({ id, at, deep }) {
  const list = (query) => `/v1/recharges?limit=100&${query}`;
  const ledger = (query) => `/v1/accounts/acct-busy/ledger?limit=100&${query}`;
  const month = at.toISOString().slice(0, 7);
  return {
    health: '/healthz',
    readiness: '/readyz',
    'a recharge': `/v1/recharges/${id}`,
    'its timeline': `/v1/recharges/${id}/timeline`,
    'its refunds': `/v1/recharges/${id}/refunds`,
    'list, newest': list(''),
    'list, deep': list(deep),
    'list, old hour': list(windowOf(at, 'createdFrom', 'createdTo')),
    'list, common state': list('status=succeeded'),
    'list, rare state': list('status=failed'),
    'list, absent state': list('status=canceled'),
    'list, account': list('accountId=acct-77'),
    'list, account in an absent state': list('accountId=acct-77&status=canceled'),
    'list, order reference': list('orderReference=ref-5000'),
    'balance and history': '/v1/account/balance?accountId=acct-busy',
    'balance of a quiet account': '/v1/account/balance?accountId=acct-77',
    'balance at an old time': `/v1/account/balance?accountId=acct-busy&at=${at.toISOString()}`,
    'ledger, newest': ledger(''),
    'ledger, old hour': ledger(windowOf(at, 'from', 'to')),
    'ledger, deep': ledger('currency=USD&cursor=100000'),
    'statement of a quiet account': `/v1/accounts/acct-77/statements/${month}?currency=USD`,
  };
}

function ofAudit() {
  const audit = (query) => `/v1/audit?limit=100&${query}`;
  return {
    'audit, newest': audit(''),
    'audit, common status': audit('status=202'),
    'audit, rare status': audit('status=403'),
    'audit, absent refusal': audit('status=418'),
    'audit, absent success': audit('status=204'),
    'audit, account': audit('account=acct-77'),
    'audit, absent account': audit('account=nobody'),
  };
}

function ofCases({ id, deep, someCase, run }) {
  const cases = (query) => `/v1/cases?limit=100&${query}`;
  const runs = (query) => `/v1/reconciliations?limit=100&${query}`;
  return {
    'a case': `/v1/cases/${someCase}`,
    'cases, newest': cases(''),
    'cases, deep': cases(deep),
    'cases, open': cases('status=open'),
    'cases, closed': cases('status=closed'),
    'cases, rare kind': cases('kind=other_account'),
    'cases, absent kind': cases('kind=absent_order'),
    'cases, absent kind, open': cases('kind=absent_order&status=open'),
    'cases of a recharge': cases(`transactionId=${id}`),
    'a comparison': `/v1/reconciliations/${run}`,
    'comparisons, newest': runs(''),
    'comparisons, deep': runs(deep),
  };
}

function ofAutomation({ id, deep, rule, plan, endpoint }) {
  const rules = (query) => `/v1/rules?limit=100&${query}`;
  const deliveries = (query) => `/v1/callback-deliveries?limit=100&${query}`;
  const decisions = `/v1/rules/${rule}/decisions?limit=100`;
  const lines = `/v1/plans/${plan}/lines?limit=100`;
  return {
    'a rule': `/v1/rules/${rule}`,
    'rules, newest': rules(''),
    'rules, account': rules('accountId=acct-77'),
    'rules, absent account': rules('accountId=nobody'),
    'rules, rare status': rules('status=paused'),
    'rules, absent status': rules('status=expired'),
    'decisions, newest': decisions,
    'decisions, deep': `${decisions}&cursor=1000`,
    'a plan of 10,000 lines': `/v1/plans/${plan}`,
    'plans, newest': '/v1/plans?limit=100',
    'lines, first': lines,
    'lines, deep': `${lines}&cursor=9000`,
    endpoints: '/v1/callback-endpoints',
    'an endpoint': `/v1/callback-endpoints/${endpoint}`,
    'deliveries, newest': deliveries(''),
    'deliveries, deep': deliveries(deep),
    'deliveries, rare status': deliveries('status=failed'),
    'deliveries, absent status': deliveries('status=canceled'),
    'deliveries, endpoint and status': deliveries(`endpointId=${endpoint}&status=failed`),
    'deliveries of a recharge': deliveries(`transactionId=${id}`),
  };
}

const ofFinance = ({ deep }) =>
  Object.entries({
    'all clients, list, newest': '/v1/recharges?limit=100',
    'all clients, list, deep': `/v1/recharges?limit=100&${deep}`,
    'all clients, list, absent state': '/v1/recharges?limit=100&status=canceled',
    'all clients, cases, absent kind': '/v1/cases?limit=100&kind=absent_order',
  }).map(([what, path]) => ({ what, path, expected: 200, ofAllClients: true }));

const whole = ({ id, at, plan }) =>
  Object.entries({
    'statement of a busy account': `/v1/accounts/acct-busy/statements/${at.toISOString().slice(0, 7)}?currency=USD`,
    'settlements of a day': `/v1/exports/settlements?day=${at.toISOString().slice(0, 10)}`,
    'lines, the whole plan': `/v1/plans/${plan}/lines`,
    'proof of the books': '/v1/ledger/proof',
    'evidence of a recharge': `/v1/recharges/${id}/evidence`,
  }).map(([what, path]) => ({
    ...{ what, path, expected: 200, ofAllClients: path.startsWith('/v1/exports') },
    ...WHOLE,
  }));

/** What the pages of the console read. They are read without its server, whose pages need a person's session. */
function ofConsole({ id, clientId, someCase, delivery }) {
  const some = { clientId, accountPatterns: ['acct-%'] };
  const cases = (filter) => (domain) => domain.cases.list({ viewer: null, limit: 50, ...filter }, () => true);
  return {
    'console, money at risk': (domain) => domain.console.agedRisks(),
    'console, newest work': (domain) => domain.console.recentWork(),
    'console, backlog of events': (domain) => domain.console.eventBacklog(),
    'console, providers': (domain) => domain.console.providers(),
    'console, search by reference': (domain) => domain.console.find('ref-5000', ['sandbox']),
    'console, search by account': (domain) => domain.console.find('acct-77', ['sandbox']),
    'console, search by id': (domain) => domain.console.find(id, ['sandbox']),
    'console, search for nothing': (domain) => domain.console.find(randomUUID(), ['sandbox']),
    'console, accounts': (domain) => domain.console.accounts(null, 50),
    'console, actions': (domain) => domain.console.actions(null, 50),
    'console, desk of a person': cases({ status: 'open', desk: { assignee: 'ada' } }),
    'console, desk of nobody': cases({ status: 'open', desk: { assignee: null } }),
    'console, desk, overdue': cases({ status: 'open', desk: { overdueAfterMs: 60_000 } }),
    'console, history of a case': (domain) => domain.desk.history(someCase),
    'console, endpoints': (domain) => domain.console.callbackEndpoints(50),
    'console, deliveries': (domain) =>
      domain.console.callbackDeliveries({ limit: 50, beforeId: null, status: null }),
    'console, failed deliveries': (domain) =>
      domain.console.callbackDeliveries({ limit: 50, beforeId: null, status: 'failed' }),
    'console, a delivery': (domain) => domain.console.callbackDelivery(delivery),
    'console, rules': (domain) => domain.rules.list({ viewer: null, limit: 50 }),
    'console, plans': (domain) => domain.plans.list({ viewer: null, limit: 50 }),
    'rules, key of some accounts': (domain) => domain.rules.list({ viewer: some, limit: 100 }),
    'plans, key of some accounts': (domain) => domain.plans.list({ viewer: some, limit: 100 }),
    'cases, key of some accounts': cases({ viewer: some, limit: 100 }),
  };
}

const newBody = (n) =>
  JSON.stringify({
    ...{ idempotencyKey: `reads-${n}`, accountId: `acct-${n % 10_000}` },
    ...{ amount: 500, currency: 'USD', paymentMethod: 'sandbox' },
  });
