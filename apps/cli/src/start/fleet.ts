import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Closer,
  type Config,
  closeAll,
  type Env,
  localStateDir,
  masterKeysOf,
  readConfig,
} from '@replenish/runtime';
import { APP_ROLE } from '@replenish/runtime/embedded-postgres';
import { Children, type ChildSpec } from './children.js';
import { keepDatabase } from './database.js';
import { Ending } from './ending.js';
import { keepSmall } from './logs.js';
import { takenPorts, wantedPorts } from './ports.js';
import { type Preparation, Preparer } from './preparation.js';
import { readinessOf } from './probe.js';
import { keepDemoClient, keptDemoClient } from './state/demo-client.js';
import { takeLock } from './state/lock.js';
import { keepSecrets, leaveSettings } from './state/secrets.js';
import { openStateDir } from './state/state.js';
import { ingressUrl, welcome } from './welcome.js';

export type Parts = Readonly<{
  env: Env;
  say: (line: string) => void;
  specs: readonly ChildSpec[];
  /** The script of the preparing process: see prepare.ts. */
  prepareEntry: string;
  /** Milliseconds between two lines that say what the start waits for. */
  waitTellMs?: number;
}>;

/** The data of one start, for all its steps. */
type FleetRun = Parts &
  Readonly<{ dir: string; config: Config; ending: Ending; opened: Closer[]; children: Children }>;

// Everything ends within ten seconds of a signal: the children get at most eight, the database the rest.
const END_LIMIT_MS = 9_500;
const CHILDREN_LIMIT_MS = 8_000;
// A start takes about five seconds. A start that takes three times as long needs an explanation.
const WAIT_TELL_MS = 15_000;
// The children of a killed fleet need a moment to notice it and to free their ports.
const PORTS_LIMIT_MS = 10_000;

/** Starts everything, keeps it running and stops it on request. Returns the exit code. */
export async function runFleet(parts: Parts): Promise<number> {
  const config = readConfig(parts.env);
  const dir = openStateDir(localStateDir(parts.env));
  const lock = takeLock(dir, { url: ingressUrl(config), sandboxUrl: config.SANDBOX_URL });
  if (!lock.taken) {
    parts.say(`already running on ${dir}: process ${lock.holder.pid}, ${lock.holder.url}`);
    return 1;
  }
  const ending = new Ending();
  const hopeless = (reason: string) => fail(parts.say, ending, 78, reason);
  const children = new Children({
    logsDir: join(dir, 'logs'),
    ending: ending.signal,
    say: parts.say,
    onHopeless: hopeless,
  });
  const run: FleetRun = {
    ...parts,
    dir,
    config,
    ending,
    children,
    opened: [{ name: 'lock', close: lock.release }],
  };
  ending.onSignals(() => {
    children.kill();
    lock.release();
    process.exit(130); // the database ends, too: its supervisor notices the closed pipe
  });
  const up = bringUp(run, lock.stale ? PORTS_LIMIT_MS : 0).catch((error: Error) => {
    fail(parts.say, ending, 1, `could not start: ${error.message}`);
  });
  return end(run, up);
}

function fail(say: Parts['say'], ending: Ending, exitCode: number, reason: string): void {
  if (!ending.signal.aborted) say(reason);
  ending.ask(exitCode);
}

async function end({ ending, opened, say }: FleetRun, up: Promise<void>): Promise<number> {
  const exitCode = await ending.asked;
  const hadBegun = opened.length > 1; // more than the lock is open
  if (hadBegun) say('ending');
  // An interrupted start finishes the step that it is in, so that everything it opened can be closed.
  await Promise.race([up, sleep(3_000)]);
  const stuck = await closeAll(opened, END_LIMIT_MS);
  if (hadBegun) say(stuck.length === 0 ? 'ended' : `ended, but ${stuck.join('; ')}`);
  return exitCode;
}

async function bringUp(run: FleetRun, portsWaitMs: number): Promise<void> {
  const { dir, config, env, ending, children } = run;
  refuseWhatCannotWork(run);
  const taken = await takenPorts(wantedPorts(config), portsWaitMs);
  if (taken.length > 0) throw new Error(taken.join('\n'));
  run.opened.push({ name: 'logs', close: keepSmall(join(dir, 'logs')) });
  const preparer = new Preparer(run.prepareEntry);
  run.opened.push({ name: 'preparation', close: () => preparer.end() });
  const database = await openDatabase(run);
  const values = config.NODE_ENV === 'production' ? {} : keepSecrets(dir, env);
  if (ending.signal.aborted) return;
  const made = {
    ...values,
    // The command line works as the owner: it migrates, and drops old months of calls.
    ...(!env.DATABASE_URL && { DATABASE_URL: database.ownerUrl, DATABASE_APP_ROLE: APP_ROLE }),
    // The default of PUBLIC_URL is plain HTTP.
    ...(!env.PUBLIC_URL && config.TLS_CERT_FILE && { PUBLIC_URL: ingressUrl(config) }),
  };
  if (config.NODE_ENV !== 'production') leaveSettings(dir, env, made);
  const preparation = prepare(run, preparer, database, masterKeysOf({ ...config, ...values }));
  await preparation.migrated;
  if (ending.signal.aborted) return;
  run.opened.push({ name: 'children', close: () => children.stop(CHILDREN_LIMIT_MS) });
  for (const spec of run.specs) children.start(spec, { ...env, ...made, DATABASE_URL: database.appUrl });
  const keeping = preparation.demo.then((demo) => {
    if (demo) keepDemoClient(dir, database.ownerUrl, demo);
    return demo;
  });
  const [demo, admin] = await Promise.all([keeping, preparation.admin, ready(run)]);
  if (ending.signal.aborted) return;
  for (const line of welcome({ config, dir, demo, admin })) run.say(line);
}

function refuseWhatCannotWork({ config, env, specs }: FleetRun): void {
  const unbuilt = specs.filter(({ entry }) => !existsSync(entry)).map(({ name }) => name);
  if (unbuilt.length > 0) throw new Error(`not built yet: ${unbuilt.join(', ')} (npm run build)`);
  if (config.NODE_ENV !== 'production') return;
  if (!env.DATABASE_URL) throw new Error('NODE_ENV=production makes no secrets: set DATABASE_URL');
}

/**
 * The addresses of one database, for its owner and for the role of the processes. If only one address is configured,
 * both are equal.
 */
type DatabaseAddresses = Readonly<{ ownerUrl: string; appUrl: string; appRole: string | undefined }>;

async function openDatabase({ config, dir, env, say, ending, opened }: FleetRun): Promise<DatabaseAddresses> {
  const { DATABASE_URL: given } = env;
  if (given) return { ownerUrl: given, appUrl: given, appRole: config.DATABASE_APP_ROLE };
  const onGivenUp = (reason: string) => fail(say, ending, 1, reason);
  const database = await keepDatabase({ dir, ending: ending.signal, say, onGivenUp });
  const stop = () => database.stop(Math.max(500, ending.leftMs(END_LIMIT_MS - 500)));
  opened.push({ name: 'postgres', close: stop });
  return { ownerUrl: database.url, appUrl: database.appUrl, appRole: APP_ROLE };
}

function prepare(
  { config, dir }: FleetRun,
  preparer: Preparer,
  { ownerUrl: databaseUrl, appRole }: DatabaseAddresses,
  masterKeys: string | undefined,
): Preparation {
  const asked = { databaseUrl, appRole, hasQueues: !config.REDIS_URL, masterKeys };
  if (config.NODE_ENV === 'production') return preparer.run({ ...asked, demo: null });
  return preparer.run({ ...asked, demo: { kept: keptDemoClient(dir, databaseUrl) } });
}

/** Waits until the ingress is ready. From time to time it prints what it waits for, for how long, and why. */
async function ready({
  config,
  dir,
  ending,
  say,
  children,
  waitTellMs = WAIT_TELL_MS,
}: FleetRun): Promise<void> {
  const url = ingressUrl(config);
  const startedAtMs = performance.now();
  let answer = '';
  for (let toldAtMs = startedAtMs; !ending.signal.aborted && answer !== 'ready'; await sleep(50)) {
    answer = await readinessOf(url, ending.signal);
    if (answer === 'ready' || performance.now() - toldAtMs < waitTellMs) continue;
    toldAtMs = performance.now();
    const others = children.unready.filter((name) => name !== 'ingress');
    say(
      `  still waiting for ingress, ${Math.round((toldAtMs - startedAtMs) / 1_000)} s: ${answer}` +
        `${others.length > 0 ? `; also for ${others.join(', ')}` : ''} (logs: ${join(dir, 'logs')})`,
    );
  }
  // The ready lines of the other processes should come before the welcome. The ingress accepts recharges without
  // them, so the wait is short.
  const giveUpAtMs = performance.now() + 3_000;
  while (children.unready.length > 0 && !ending.signal.aborted && performance.now() < giveUpAtMs)
    await sleep(50);
}
