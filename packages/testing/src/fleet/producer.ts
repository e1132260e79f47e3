import { randomUUID } from 'node:crypto';
import { type Domain, type NewClient, type NewKey, openDomain } from '@replenish/domain';
import type { Fleet } from './fleet.js';

/** An answer's body. A field that the body lacks is undefined, and the test that reads it fails. */
export type Body = Readonly<Record<string, unknown>> &
  Readonly<{ transactionId: string; state: string; status: string | number; code: string }>;

export type ProducerAnswer = Readonly<{ status: number; headers: Headers; body: Body; text: string }>;

/** The fleet's master keys seal the secrets of new keys. Keys that are sent as bearer tokens need none. */
type Books = Pick<Fleet, 'databaseUrl'> & Partial<Pick<Fleet, 'masterKeys'>>;

/** Makes an API client with all permissions and all accounts, changed by `wishes`. */
export async function client(fleet: Books, wishes: Partial<NewClient> = {}): Promise<NewKey> {
  const scopes = [
    'recharges:write',
    'recharges:read',
    'refunds:write',
    'balances:read',
    'payees:read',
    'payees:write',
    'cases:read',
    'cases:write',
    'rules:read',
    'rules:write',
    'rules:admin',
    'plans:read',
    'plans:write',
  ];
  return withBooks(fleet, ({ clients }) =>
    clients.create({ name: 'test', env: 'test', scopes, accounts: ['*'], ...wishes }),
  );
}

/** Opens a Domain on the fleet's database for one action, as an operator's command does. */
export async function withBooks<T>(
  { databaseUrl, masterKeys }: Books,
  work: (domain: Domain) => Promise<T>,
): Promise<T> {
  const limits = { poolMax: 2, reconcileAfterMs: 1_000, providerTimeoutMs: 1_000 };
  const domain = openDomain({ databaseUrl, masterKeys, ...limits });
  try {
    return await work(domain);
  } finally {
    await domain.close();
  }
}

export const bearer = ({ keyId, secret }: NewKey): string => `Bearer ${keyId}.${secret}`;

/** `POST /v1/recharges` to the first ingress, with a new idempotency key unless the headers have one. */
export async function post(
  fleet: Pick<Fleet, 'ingressUrl'>,
  body: unknown,
  headers: Readonly<Record<string, string>>,
): Promise<ProducerAnswer> {
  const response = await fetch(`${fleet.ingressUrl}/v1/recharges`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID(), ...lowerCased(headers) },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return answerOf(response);
}

/** `GET` of a path of the first ingress. */
export async function get(
  fleet: Pick<Fleet, 'ingressUrl'>,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<ProducerAnswer> {
  return answerOf(await fetch(`${fleet.ingressUrl}${path}`, { headers }));
}

export type OrderAtSandbox = Readonly<{
  id: string;
  reference: string;
  amount: number;
  currency: string;
  status: string;
  charges: readonly Readonly<{ amount: number; status: string }>[];
}>;

/** The provider's orders with one reference. Tests check exactly-once by them. */
export async function sandboxOrders(
  fleet: Pick<Fleet, 'sandboxUrl'>,
  reference: string,
): Promise<readonly OrderAtSandbox[]> {
  const url = `${fleet.sandboxUrl}/_control/orders?reference=${encodeURIComponent(reference)}`;
  const response = await fetch(url);
  return ((await response.json()) as { orders: OrderAtSandbox[] }).orders;
}

async function answerOf(response: Response): Promise<ProducerAnswer> {
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : {}, text };
}

const lowerCased = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
