import { resolve } from 'node:path';
import type { ProcessName } from '@replenish/runtime';
import type { Command } from '../command.js';
import type { ChildSpec } from './children.js';
import { demoClient } from './demo-client.js';
import { runFleet } from './fleet.js';

const FLEET = [
  'sandbox',
  'ingress',
  'submission-worker',
  'webhook-worker',
  'reconciliation-worker',
  'dashboard',
] as const satisfies readonly ProcessName[];

const appsDir = resolve(import.meta.dirname, '../../..');

const specOf = (name: string): ChildSpec => ({ name, entry: resolve(appsDir, name, 'dist/main.js') });

/** Everything on one machine: database, migrations, every process of the fleet, a client to try it with. */
export const start: Command = async ({ env, say }) => {
  // In production the sandbox would be a provider that takes no money.
  const names = FLEET.filter((name) => name !== 'sandbox' || env.NODE_ENV !== 'production');
  // Read while the database starts: its client is the largest module of the fleet.
  const domain = import('@replenish/domain');
  domain.catch(() => {}); // heard where it is awaited
  return runFleet({
    env,
    say,
    specs: names.map(specOf),
    migrate: async (databaseUrl) => (await domain).migrate({ databaseUrl }),
    openDemoClient: async (databaseUrl, kept) => demoClient((await domain).openDomain, databaseUrl, kept),
  });
};
