import { randomBytes } from 'node:crypto';
import type { Domain } from '@replenish/domain';
import type { DemoClient } from './state/demo-client.js';

/**
 * The request to this process: migrate the database and, unless `demo` is null, provide the demo client
 * and the first user of the console.
 */
export type PrepareAsk = Readonly<{
  databaseUrl: string;
  /** The role that is granted the rights of the processes. */
  appRole: string | undefined;
  /** Whether the queues are in the database. */
  hasQueues: boolean;
  masterKeys: string | undefined;
  demo: Readonly<{ kept: DemoClient | null }> | null;
}>;

/** The first user of the console, with what is shown only once. */
export type FirstAdmin = Readonly<{ name: string; password: string; totpUri: string }>;

/** The answers: `migrated`, then `demo` and `admin` if they were requested, or the fault. */
export type PrepareNews = Readonly<{
  migrated?: true;
  demo?: DemoClient;
  /** The first user of the console. Null: there are users already. */
  admin?: FirstAdmin | null;
  failed?: string;
}>;

// Preparation runs in a process of its own. Prisma's engines take 120 MB, which the launcher would hold until its end.
// They take a second to load, so they are loaded while the database still starts.
const domain = import('@replenish/domain');
const queues = import('@replenish/queues');

const tell = (news: PrepareNews): Promise<void> =>
  new Promise((resolve) => process.send?.(news, () => resolve()));

async function prepare({ databaseUrl, appRole, hasQueues, masterKeys, demo }: PrepareAsk): Promise<void> {
  const { migrate, openDomain } = await domain;
  await migrate({ databaseUrl, appRole });
  if (hasQueues) await (await queues).migrateQueues({ databaseUrl, appRole });
  await tell({ migrated: true });
  if (!demo) return;
  // This process calls no provider, so the times below have no effect.
  const opened = openDomain({
    databaseUrl,
    masterKeys,
    poolMax: 2,
    reconcileAfterMs: 1_000,
    providerTimeoutMs: 1_000,
  });
  await tell({ demo: await demoClient(opened, demo.kept), admin: await firstAdmin(opened) });
}

/** A client of the test environment that may do everything with all accounts. */
async function demoClient({ clients }: Domain, kept: DemoClient | null): Promise<DemoClient> {
  // The kept client is used only if its secret still works. Its key may have been revoked or rotated.
  if (kept && (await clients.find(kept.keyId))?.isSecret(kept.secret)) return kept;
  const { keyId, secret } = await clients.create({
    name: 'demo',
    env: 'test',
    scopes: [
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
      'callbacks:read',
      'callbacks:write',
    ],
    accounts: ['*'],
  });
  return { keyId, secret };
}

/** Makes the first user of the console. Null if there are users already. */
async function firstAdmin({ operators }: Domain): Promise<FirstAdmin | null> {
  if ((await operators.list()).length > 0) return null;
  const { hashPassword } = await import('@replenish/runtime');
  const password = randomBytes(12).toString('base64url');
  const made = await operators.createFirst(
    { name: 'admin', role: 'admin', passwordHash: await hashPassword(password) },
    { actor: 'first start', role: 'command_line' },
  );
  return made && { name: made.name, password, totpUri: made.totpUri! };
}

// Ctrl-C reaches this process, too. The launcher handles it.
process.on('SIGINT', () => {});
process.once('disconnect', () => process.exit(0));
process.once('message', (ask: PrepareAsk) => {
  prepare(ask)
    .catch(async (error: Error) => tell({ failed: (await domain).storeFaultInWords(error) ?? error.message }))
    .finally(() => process.exit(0));
});
