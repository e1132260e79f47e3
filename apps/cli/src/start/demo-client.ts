import type { Domain, DomainOptions } from '@replenish/domain';
import { readJson, writeJson } from './state.js';

export type DemoClient = Readonly<{ keyId: string; secret: string }>;

const FILE = 'demo-client.json';

/** Returns the kept client if the database still knows it, a new one otherwise. */
export type OpenDemoClient = (databaseUrl: string, kept: DemoClient | null) => Promise<DemoClient>;

/** The client that the printed curl line calls as: the same one at every start. */
export async function keepDemoClient(
  dir: string,
  open: (kept: DemoClient | null) => Promise<DemoClient>,
): Promise<DemoClient> {
  const kept = readJson<DemoClient>(dir, FILE);
  const client = await open(kept);
  if (client !== kept) writeJson(dir, FILE, client);
  return client;
}

type OpenDomain = (options: DomainOptions) => Domain;

/** A client of the test environment that may do everything with every account. */
export async function demoClient(
  openDomain: OpenDomain,
  ...[databaseUrl, kept]: Parameters<OpenDemoClient>
): Promise<DemoClient> {
  // The waits are those of calls to providers, and none is made here.
  const domain = openDomain({ databaseUrl, poolMax: 2, reconcileAfterMs: 1_000, providerTimeoutMs: 1_000 });
  try {
    // A folder outlives its database when DATABASE_URL changes: the old key would answer 401 there.
    if (kept && (await domain.clients.find(kept.keyId))) return kept;
    const { keyId, secret } = await domain.clients.create({
      name: 'demo',
      env: 'test',
      scopes: ['recharges:write', 'recharges:read', 'balances:read'],
      accounts: ['*'],
    });
    return { keyId, secret };
  } finally {
    await domain.close();
  }
}
