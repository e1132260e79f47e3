import { resolve } from 'node:path';
import type { ProcessName } from '@replenish/runtime';
import type { Command } from '../command.js';
import type { ChildSpec } from './children.js';
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
export const start: Command<'start'> = async ({ env, say }) => {
  // In production the sandbox would be a provider that takes no money.
  const names = FLEET.filter((name) => name !== 'sandbox' || env.NODE_ENV !== 'production');
  return runFleet({
    env,
    say,
    specs: names.map(specOf),
    prepareEntry: resolve(import.meta.dirname, 'prepare.js'),
  });
};
