import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Domain, type NewClient, type NewKey, openDomain, type RechargeView } from '@replenish/domain';
import { scopes } from '@replenish/domain/rules';
import { openProviders, type Providers } from '@replenish/providers';
import { Health, type Logger, openRegistry, type TlsOptions } from '@replenish/runtime';
import { createDatabase, freePort } from '@replenish/testing';
import type { Express } from 'express';
import pg from 'pg';
import { buildApp, type IngressDeps } from '../../src/app.js';
import type { AuthSettings } from '../../src/auth/settings.js';
import { auditedNames } from '../../src/http/operation.js';
import { operations } from '../../src/openapi/operations.js';
import type { Protection } from '../../src/protection/protection.js';
import { closeServer, createIngressServer } from '../../src/server/server.js';

type Hint = Readonly<{ queue: string; ids: readonly string[] }>;
type LogRecord = Readonly<{ level: string; message: string } & Record<string, unknown>>;
export type Row = Readonly<Record<string, unknown>>;

/** The fields of an answer that tests read. A missing one is undefined, so the test fails. */
type Body = Row &
  Readonly<{
    transactionId: string;
    transaction_id: string;
    state: string;
    status: string | number;
    code: string;
    data: readonly Row[];
    nextCursor: string | null;
    errors: readonly Readonly<{ path: string; message: string }>[];
  }>;
export type Answer = Readonly<{ status: number; headers: Headers; text: string; body: Body }>;

export type Sent = Readonly<{
  key?: NewKey;
  headers?: Readonly<Record<string, string>>;
  /** Text and bytes are sent unchanged, other values as JSON. */
  body?: unknown;
}>;

export type Ingress = Readonly<{
  url: string;
  app: Express;
  domain: Domain;
  databaseUrl: string;
  metric: (name: string) => Promise<number>;
  hints: readonly Hint[];
  logged: readonly LogRecord[];
  /** Makes an API client that may do everything with all accounts, except as `wishes` say. */
  client: (wishes?: Partial<NewClient>) => Promise<NewKey>;
  call: (method: string, path: string, sent?: Sent) => Promise<Answer>;
  sql: (statement: string, values?: readonly unknown[]) => Promise<Row[]>;
  close: () => Promise<void>;
}>;

/** The parameters that an audit trail keeps. */
export const auditNames = auditedNames(operations);

export const masterKeys = `test:${Buffer.alloc(32, 9).toString('base64')}`;

export const webhookKey = Buffer.alloc(32, 7);

type IngressWishes = Readonly<{
  /** The database of a running ingress. The new one then is a second process on it. */
  databaseUrl?: string;
  migrated?: boolean;
  auth?: Partial<AuthSettings>;
  protection?: (around: Pick<IngressDeps, 'domain' | 'log' | 'registry'>, databaseUrl: string) => Protection;
  tls?: TlsOptions | null;
  publicUrl?: string;
  /** The secrets of the webhooks. There are several during a rotation. */
  webhookKeys?: readonly Buffer[];
  /** The settings of further providers. */
  providerSettings?: Partial<Parameters<typeof openProviders>[0]>;
}>;

/** Opens the real app on its real server with a new database. The provider never answers. */
export async function openIngress({
  databaseUrl,
  migrated = true,
  auth = {},
  protection,
  tls = null,
  publicUrl,
  ...providerWishes
}: IngressWishes = {}): Promise<Ingress> {
  const database = databaseUrl
    ? { url: databaseUrl, release: async () => {} }
    : await createDatabase({ migrated });
  const domain = openBooks(database.url);
  const providers = await openSilentProviders(providerWishes);
  const hints: Hint[] = [];
  const logged: LogRecord[] = [];
  const around = { domain, log: recorder(logged), registry: openRegistry('ingress') };
  const app = buildApp({
    ...around,
    providers,
    queues: { hint: async (queue, ids) => hints.push({ queue, ids }) > 0 },
    health: healthOf(domain),
    publicUrl,
    auth: { isProduction: false, tokenIssuer: null, now: Date.now, trustProxy: false, ...auth },
    ...(protection && { protection: protection(around, database.url) }),
  });
  const server = createIngressServer(app, around.log, { tls });
  const url = await listen(server);
  const pool = new pg.Pool({ connectionString: database.url, max: 2 });
  return {
    url,
    app,
    domain,
    databaseUrl: database.url,
    metric: async (name) => sumOf(await around.registry.getSingleMetric(name)!.get()),
    hints,
    logged,
    client: (wishes) =>
      domain.clients.create({ name: 'test', env: 'test', scopes: allScopes, accounts: ['*'], ...wishes }),
    call: (method, path, sent) => call(`${url}${path}`, method, sent ?? {}),
    sql: async (statement, values) => (await pool.query<Row>(statement, [...(values ?? [])])).rows,
    close: async () => {
      await closeServer(server);
      await pool.end();
      await providers.close();
      await domain.close();
      await database.release();
    },
  };
}

const healthOf = (domain: Domain): Health => {
  const health = new Health();
  health.add('database', () => domain.ping());
  return health;
};

const openBooks = (databaseUrl: string): Domain =>
  openDomain({ databaseUrl, poolMax: 4, reconcileAfterMs: 60_000, providerTimeoutMs: 1_000, masterKeys });

// The rail of this fake reads no balances, so a payee is set without a call.
const silentCloud = {
  ALIBABA_CLOUD_ACCESS_KEY_ID: 'LTAI-test',
  ALIBABA_CLOUD_ACCESS_KEY_SECRET: 'secret',
  ALIBABA_CLOUD_RAIL: 'reseller_quota',
} as const;

/** The sandbox provider has an address where nothing listens, because the ingress never calls a provider. */
const openSilentProviders = async ({
  webhookKeys = [webhookKey],
  providerSettings = {},
}: Pick<IngressWishes, 'webhookKeys' | 'providerSettings'>): Promise<Providers> =>
  openProviders({
    ...silentCloud,
    ...providerSettings,
    SANDBOX_URL: `http://127.0.0.1:${await freePort()}`,
    SANDBOX_WEBHOOK_SECRET: webhookKeys.map((one) => `whsec_${one.toString('base64')}`).join(' '),
    NODE_ENV: 'test',
    PROVIDER_TIMEOUT_MS: 1_000,
  });

/** Listens on a free port and returns the URL. */
export async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const sumOf = ({ values }: { values: { value: number }[] }): number =>
  values.reduce((sum, { value }) => sum + value, 0);

/** All scopes but the one that reads the data of other clients. A test that needs that scope names it. */
const allScopes = scopes.filter((scope) => scope !== 'finance:read');

function recorder(logged: LogRecord[]): Logger {
  const write = (level: string) => (fields: object, message: string) =>
    void logged.push({ ...fields, level, message });
  return { info: write('info'), warn: write('warn'), error: write('error') } as unknown as Logger;
}

export const bearer = ({ keyId, secret }: NewKey): string => `Bearer ${keyId}.${secret}`;

async function call(url: string, method: string, { key, headers, body }: Sent): Promise<Answer> {
  const isRaw = typeof body === 'string' || body instanceof Uint8Array;
  const response = await fetch(url, {
    method,
    headers: {
      ...(key && { authorization: bearer(key) }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: isRaw ? (body as string) : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = text !== '' && /json/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : {} };
}

export const aRecharge = (changes: Row = {}): Row => ({
  accountId: 'acct-1001',
  amount: 4999,
  currency: 'USD',
  ...changes,
});

/** Sends POST /v1/recharges with a new idempotency key, unless the headers have one. */
export const create = (
  ingress: Ingress,
  key: NewKey,
  body: unknown = aRecharge(),
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> =>
  ingress.call('POST', '/v1/recharges', {
    key,
    body,
    headers: { 'idempotency-key': randomUUID(), ...headers },
  });

/** Creates a recharge and returns the domain's view of it. */
export async function created(ingress: Ingress, key: NewKey, changes: Row = {}): Promise<RechargeView> {
  const answer = await create(ingress, key, aRecharge(changes));
  if (answer.status !== 202) throw new Error(answer.text);
  return (await ingress.domain.reads.recharge(answer.body.transactionId))!;
}

/** Ends a recharge with the reports that a worker makes. */
export async function end(
  ingress: Ingress,
  { id, amountMinor, currency }: RechargeView,
  news: 'settled' | 'declined',
): Promise<void> {
  const submit = { transactionId: id, news: 'submit', source: 'submission', reason: 'taken' } as const;
  await ingress.domain.applyNews(submit);
  await ingress.domain.applyNews({
    transactionId: id,
    news,
    source: 'webhook',
    reason: `the provider says ${news}`,
    providerOrderId: `sbx_${id}`,
    ...(news === 'settled'
      ? { money: { amountMinor, currency } }
      : { failure: { code: 'PAYMENT_FAILED', message: 'insufficient funds' } }),
  });
}

/** The number of rows in all tables that a request can write to. */
export async function storedRows(ingress: Ingress): Promise<number> {
  const [row] = await ingress.sql(`select (select count(*) from recharge_request)
    + (select count(*) from recharge_transaction) + (select count(*) from ledger_entry)
    + (select count(*) from webhook_event) + (select count(*) from reconciliation_case) as count`);
  return Number(row!.count);
}
