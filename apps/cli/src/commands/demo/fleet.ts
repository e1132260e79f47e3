import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Env, localStateDir, readConfig } from '@replenish/runtime';
import type { Terminal } from '../../command.js';
import { withProgress } from '../../progress.js';
import { readinessOf } from '../../start/probe.js';
import { type Holder, livingHolder } from '../../start/state/lock.js';
import { ingressUrl, isShownOnce, LAST_LINE, READY_LINE } from '../../start/welcome.js';

export type DemoFleet = Readonly<{ url: string; stop: () => Promise<void> }>;

type DemoEvent = Pick<Terminal, 'env' | 'say' | 'complain' | 'terminal'>;

/**
 * The fleet of this machine: the one that is up, also on other ports than the environment names, or else one that is
 * started and stopped again. A start takes as long as it takes, and what it says is passed on.
 */
export async function openFleet(desk: DemoEvent): Promise<DemoFleet> {
  const url = ingressUrl(readConfig(desk.env));
  const holder = livingHolder(localStateDir(desk.env));
  if (holder) return { url: await readyOf(holder, desk), stop: async () => {} };
  if ((await readinessOf(url)) === 'ready') return { url, stop: async () => {} };
  const fleet = await startFleet(desk);
  return { url, stop: () => stopFleet(fleet) };
}

/** Waits for a fleet that another process has started, for as long as that process lives. */
function readyOf({ url }: Holder, desk: DemoEvent): Promise<string> {
  return withProgress(desk, `waiting for the fleet on ${url}`, async () => {
    while (livingHolder(localStateDir(desk.env))?.url === url) {
      if ((await readinessOf(url)) === 'ready') return url;
      await sleep(200);
    }
    throw new Error(`the fleet on ${url} ended before it was ready`);
  });
}

async function startFleet({ env, say }: Pick<DemoEvent, 'env' | 'say'>): Promise<ChildProcess> {
  say('The fleet is not up: it is started for the demo, and stopped after it.');
  const fleet = spawn(process.execPath, [process.argv[1]!, 'start'], {
    env: { ...env } as Env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said: string[] = [];
  let isReady = false;
  for await (const line of createInterface(fleet.stdout)) {
    said.push(line);
    isReady ||= line === READY_LINE;
    if (!isReady || isShownOnce(line)) say(line);
    if (line === LAST_LINE) break;
  }
  if (said.at(-1) !== LAST_LINE) throw new Error('the fleet could not be started');
  fleet.stdout.resume();
  return fleet;
}

async function stopFleet(fleet: ChildProcess): Promise<void> {
  if (fleet.exitCode !== null || fleet.signalCode !== null) return;
  fleet.kill('SIGTERM');
  await once(fleet, 'exit');
}
