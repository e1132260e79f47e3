import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { measureBooks, measureStatement } from './books.mjs';
import { measureCallbacks } from './callbacks.mjs';
import { openCheckout } from './checkout.mjs';
import { measureEndToEnd, measureMemory } from './end-to-end.mjs';
import { InvalidRound, openGround } from './ground.mjs';
import { measureIntake } from './intake.mjs';
import { startGenerator } from './load.mjs';
import { machineBusyShare, stopAll } from './processes.mjs';
import { measureProviders } from './providers.mjs';
import { measureReads } from './reads.mjs';
import { measureSigning } from './signing.mjs';
import { measureTraces } from './traces.mjs';

const USAGE = `node bench/suite/run.mjs [--rounds 5] [--seconds 8] [--only b1|signing|traces|b3|memory|reads|providers|books|statement|callbacks] [--beside DIR] [--quick] [--cpu-prof DIR]
environment: REDIS_URL (its databases 14 and 15 are emptied), TEST_POSTGRES_URL (unset: an embedded one)`;

const parts = [
  'b1',
  'signing',
  'traces',
  'b3',
  'memory',
  'reads',
  'providers',
  'books',
  'statement',
  'callbacks',
];

const say = (text) => process.stdout.write(`${text}\n`);

/**
 * Prints the next step, and the load of the machine by other programs. The load should be close to 0, because the
 * benchmark is idle at this moment.
 */
async function announce(what) {
  const busy = await machineBusyShare();
  const load = loadavg()[0].toFixed(1);
  process.stdout.write(`${what}  (load ${load}, others ${Math.round(100 * busy)} %)  `);
}

function options() {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      only: { type: 'string' },
      quick: { type: 'boolean', default: false },
      beside: { type: 'string' },
      'cpu-prof': { type: 'string' },
    },
  });
  const number = (given, usual) => {
    const value = Number(given ?? usual);
    if (!(value >= 1)) throw new Error(USAGE);
    return value;
  };
  if (values.only && !parts.includes(values.only)) throw new Error(USAGE);
  return {
    rounds: number(values.rounds, values.beside ? 15 : values.quick ? 2 : 5),
    measureMs: 1_000 * number(values.seconds, values.beside ? 2 : values.quick ? 3 : 8),
    warmUpMs: values.beside || values.quick ? 1_000 : 2_000,
    wants: (what) => (values.only ?? (values.beside ? 'b1 b3' : 'b1 signing b3')).includes(what),
    lines: values.quick ? 100_000 : 1_000_000,
    besideDir: values.beside,
    cpuProfDir: values['cpu-prof'],
  };
}

async function bench({ rounds, measureMs, warmUpMs, wants, besideDir, lines }, ground) {
  const generator = await startGenerator(ground);
  const beside = besideDir ? await openCheckout(besideDir, ground.serverUrl) : null;
  const context = { ground, generator, beside, rounds, measureMs, warmUpMs, say, announce };
  const table = [];
  if (wants('b1')) table.push(...(await measureIntake(context)));
  if (wants('signing')) table.push(...(await measureSigning(context)));
  if (wants('traces')) table.push(...(await measureTraces(context)));
  if (wants('b3')) table.push(...(await measureEndToEnd(context)));
  if (wants('memory')) table.push(...(await measureMemory({ ...context, count: 10_000 })));
  if (wants('providers')) table.push(...(await measureProviders(context)));
  if (wants('books')) table.push(...(await measureBooks(context)));
  if (wants('statement')) table.push(...(await measureStatement({ ...context, count: lines })));
  if (wants('callbacks')) table.push(...(await measureCallbacks(context)));
  if (wants('reads')) table.push(...(await measureReads(context)));
  await stopAll();
  await beside?.close();
  for (const line of ground.profiles.report()) say(line);
  say(
    ['memory', 'reads', 'statement', 'callbacks'].some(wants)
      ? ''
      : `\nmedian (lowest..highest) of ${rounds} rounds\n`,
  );
  for (const line of table) say(line);
}

function interrupted() {
  return new Promise((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => reject(new Error(signal)));
  });
}

async function main() {
  const wished = options();
  const { TEST_POSTGRES_URL: postgresUrl, REDIS_URL: redisUrl } = process.env;
  const ground = await openGround({ postgresUrl, redisUrl, cpuProfDir: wished.cpuProfDir });
  try {
    say(`${ground.postgres.text}\n${ground.redis ?? 'no Redis (REDIS_URL is not set)'}`);
    say(`Node ${process.version}, load average ${loadavg().map((n) => n.toFixed(1))}`);
    const running = bench(wished, ground);
    running.catch(() => {}); // after an interruption it fails when its servers stop, and that is ignored
    await Promise.race([running, interrupted()]);
    return 0;
  } catch (error) {
    say(error instanceof InvalidRound ? `\ninvalid round: ${error.message}` : `\n${error.stack}`);
    return 1;
  } finally {
    await stopAll();
    await ground.close();
  }
}

process.exit(await main());
