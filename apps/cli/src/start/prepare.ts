import type { Domain } from '@replenish/domain';
import type { DemoClient } from './state/demo-client.js';

/** What is asked of this process: a migrated database and, unless `demo` is null, a client to try it with. */
export type PrepareAsk = Readonly<{
  databaseUrl: string;
  masterKeys: string | undefined;
  demo: Readonly<{ kept: DemoClient | null }> | null;
}>;

/** `migrated`, then `demo` when it was asked for; or what went wrong. */
export type PrepareNews = Readonly<{ migrated?: true; demo?: DemoClient; failed?: string }>;

// A process of its own, since Prisma's engines take 120 MB and a second of work that the launcher would keep for life.
// They are loaded while the database still starts.
const domain = import('@replenish/domain');

const tell = (news: PrepareNews): Promise<void> =>
  new Promise((resolve) => process.send?.(news, () => resolve()));

async function prepare({ databaseUrl, masterKeys, demo }: PrepareAsk): Promise<void> {
  const { migrate, openDomain } = await domain;
  await migrate({ databaseUrl });
  await tell({ migrated: true });
  if (!demo) return;
  // The waits are those of calls to providers, and none is made here.
  const opened = openDomain({
    databaseUrl,
    masterKeys,
    poolMax: 2,
    reconcileAfterMs: 1_000,
    providerTimeoutMs: 1_000,
  });
  await tell({ demo: await demoClient(opened, demo.kept) });
}

/** A client of the test environment that may do everything with every account. */
async function demoClient({ clients }: Domain, kept: DemoClient | null): Promise<DemoClient> {
  // Revoked or rotated by somebody, it would be printed and not work.
  if (kept && (await clients.find(kept.keyId))?.isSecret(kept.secret)) return kept;
  const { keyId, secret } = await clients.create({
    name: 'demo',
    env: 'test',
    scopes: ['recharges:write', 'recharges:read', 'balances:read'],
    accounts: ['*'],
  });
  return { keyId, secret };
}

// A terminal's Ctrl-C is the launcher's to act on.
process.on('SIGINT', () => {});
process.once('disconnect', () => process.exit(0));
process.once('message', (ask: PrepareAsk) => {
  prepare(ask)
    .catch(async (error: Error) => tell({ failed: (await domain).storeFaultInWords(error) ?? error.message }))
    .finally(() => process.exit(0));
});
