import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Env, localStateDir, readConfig } from '@replenish/runtime';
import type { Terminal } from '../../command.js';
import { withProgress } from '../../progress.js';
import { readinessOf } from '../../start/probe.js';
import type { DemoClient } from '../../start/state/demo-client.js';
import { type FleetAddresses, type Holder, livingHolder } from '../../start/state/lock.js';
import { readJson } from '../../start/state/state.js';
import { ingressUrl, isShownOnce, LAST_LINE, READY_LINE } from '../../start/welcome.js';

export type DemoFleet = FleetAddresses & Readonly<{ stop: () => Promise<void> }>;

const CLIENT_LIMIT_MS = 10_000;

type DemoSurroundings = Pick<Terminal, 'env' | 'say' | 'complain' | 'terminal'>;

/**
 * Uses the fleet that runs on this machine, with any ports. If none runs, a fleet is started and stopped again.
 * Starting has no time limit, and its output is passed on.
 * @param port the port that its ingress must have; any when it is not given
 */
export async function openFleet(surroundings: DemoSurroundings, port?: number): Promise<DemoFleet> {
  const config = readConfig(surroundings.env);
  const addresses = { url: ingressUrl(config), sandboxUrl: config.SANDBOX_URL };
  const holder = livingHolder(localStateDir(surroundings.env));
  if (holder) {
    if (port !== undefined && new URL(holder.url).port !== String(port))
      throw new Error(`the fleet that runs here is on ${holder.url}, not on port ${port}`);
    const { sandboxUrl } = holder;
    return { url: await readyOf(holder, surroundings), sandboxUrl, stop: async () => {} };
  }
  if ((await readinessOf(addresses.url)) === 'ready') return { ...addresses, stop: async () => {} };
  const fleet = await startFleet(surroundings);
  return { ...addresses, stop: () => stopFleet(fleet) };
}

/**
 * The demo client. A fleet that starts for the first time makes it beside its processes, so the ingress may be ready a
 * little earlier.
 */
export async function demoClientOf(stateDir: string): Promise<DemoClient> {
  const giveUpAtMs = performance.now() + CLIENT_LIMIT_MS;
  do {
    const client = readJson<DemoClient>(stateDir, 'demo-client.json');
    if (client) return client;
    await sleep(200);
  } while (performance.now() < giveUpAtMs);
  throw new Error('there is no demo client: it is made by the first `npm start` outside production');
}

/** Waits until a fleet of another process is ready. Fails when that process ends. */
function readyOf({ url }: Holder, surroundings: DemoSurroundings): Promise<string> {
  return withProgress(surroundings, `waiting for the fleet on ${url}`, async () => {
    while (livingHolder(localStateDir(surroundings.env))?.url === url) {
      if ((await readinessOf(url)) === 'ready') return url;
      await sleep(200);
    }
    throw new Error(`the fleet on ${url} ended before it was ready`);
  });
}

async function startFleet({ env, say }: Pick<DemoSurroundings, 'env' | 'say'>): Promise<ChildProcess> {
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
