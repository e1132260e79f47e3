import { resolve } from 'node:path';
import { Command } from '@commander-js/extra-typings';
import type { ProcessName } from '@replenish/runtime';
import type { Declare } from '../command.js';
import type { ChildSpec } from './children.js';

const FLEET = [
  'sandbox',
  'ingress',
  'submission-worker',
  'webhook-worker',
  'reconciliation-worker',
  'callback-worker',
  'automation-worker',
  'dashboard',
] as const satisfies readonly ProcessName[];

const appsDir = resolve(import.meta.dirname, '../../..');

const specOf = (name: string): ChildSpec => ({ name, entry: resolve(appsDir, name, 'dist/main.js') });

/** Starts everything on one machine: database, migrations, all processes of the fleet and a client for trying it. */
export const start: Declare = ({ env, say, exitWith }) =>
  new Command('start').description('start everything on this machine').action(async () => {
    const { runFleet } = await import('./fleet.js');
    // In production there is no sandbox, because it is a provider that moves no money.
    const names = FLEET.filter((name) => name !== 'sandbox' || env.NODE_ENV !== 'production');
    const prepareEntry = resolve(import.meta.dirname, 'prepare.js');
    exitWith(await runFleet({ env, say, specs: names.map(specOf), prepareEntry }));
  });
