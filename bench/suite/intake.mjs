import { join } from 'node:path';
import { freePort } from '@replenish/testing';
import { here, verifyBooks } from './checkout.mjs';
import { INGRESS, startProduct } from './fleet.mjs';
import { hold, rows } from './ground.mjs';
import { allAccepted, CONNECTIONS } from './load.mjs';
import { cpuMsOf, startProcess } from './processes.mjs';
import { besideLines, inTurn, line, median, ratios } from './statistics.mjs';

export const BARE_GOAL = 1;
export const PRISMA_GOAL = 8;

/** B1: new recharges posted to our ingress, and to two simpler peers or the ingress of another checkout. */
export async function measureIntake(context) {
  const { ground, beside, say } = context;
  const queue = ground.redis ? 'redis' : 'postgres';
  say(
    `\nB1 intake: POST /v1/recharges, new keys, ${CONNECTIONS} connections, jobs to ${ground.redis ?? 'Postgres'}`,
  );
  const product = (checkout, label) => ({
    checkout,
    start: (database) => startIngress({ ground, checkout, database, queue, label }),
  });
  const peer = (name) => ({ start: (database) => startPeer({ ground, name, database, queue }) });
  const ours = product(here, 'b1');
  if (beside) return besideIntake(await alternate(context, { ours, before: product(beside, 'b1-before') }));
  return table(await takeTurns(context, { ours, bare: peer('bare'), prisma: peer('prisma') }));
}

/** Measures one contender after the other. Each is started anew in every round. */
async function takeTurns({ rounds, say, announce, ...context }, contenders) {
  const measured = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const [name, contender] of Object.entries(contenders)) {
      await announce(`  round ${round} ${name.padEnd(6)}`);
      const turn = await takeTurn({ ...context, ...contender });
      measured[name].push(turn);
      say(sentence(turn));
    }
  }
  return measured;
}

/** Runs all contenders at the same time, and puts load on one after the other. */
async function alternate({ ground, rounds, say, announce, ...context }, contenders) {
  const names = Object.keys(contenders);
  const measured = Object.fromEntries(names.map((name) => [name, []]));
  const servers = {};
  for (const name of names) servers[name] = await openServer({ ground, ...contenders[name] });
  for (let round = 0; round <= rounds; round++) {
    for (const name of inTurn(names, round)) {
      if (round > 0) await announce(`  round ${round} ${name.padEnd(6)}`);
      const turn = await measure(servers[name], { ground, ...context });
      if (round === 0) continue; // round 0 only warms up
      measured[name].push(turn);
      say(sentence(turn));
    }
  }
  for (const name of names) await servers[name].close();
  return measured;
}

function besideIntake(measured) {
  const remarks = Object.entries(measured).map(([name, turns]) => {
    const middle = (of) => Math.round(median(turns.map(of)));
    return `  remark: ${name}, requests/s ${middle(rateOf)}, CPU us/request ${middle(cpuUsOf)}, Postgres ${middle(postgresUsOf)}`;
  });
  const figures = {
    rate: rateOf,
    'CPU a request': cpuUsOf,
    'Postgres a request': postgresUsOf,
    'both a request': (turn) => cpuUsOf(turn) + postgresUsOf(turn),
  };
  return [...besideLines('intake', measured, figures), ...remarks];
}

const rateOf = ({ rate }) => rate;
const cpuUsOf = ({ cpuUs }) => cpuUs;
const postgresUsOf = ({ postgresUs }) => postgresUs;

function table(measured) {
  const rates = (name) => measured[name].map(rateOf);
  const cpu = Object.keys(measured).map(
    (name) => `${name} ${Math.round(median(measured[name].map(cpuUsOf)))}`,
  );
  return [
    line('intake / bare', ratios(rates('ours'), rates('bare')), BARE_GOAL),
    line('intake / prisma', ratios(rates('ours'), rates('prisma')), PRISMA_GOAL),
    ...Object.keys(measured).map((name) =>
      line(`  remark: ${name}, requests/s`, rates(name), undefined, { digits: 0 }),
    ),
    `  remark: server's own CPU, us/request: ${cpu.join(', ')}`,
  ];
}

export const sentence = ({ rate, p50Ms, p99Ms, cpuUs, postgresUs }) =>
  `${rate.toFixed(0).padStart(6)}/s  p50 ${p50Ms.toFixed(1)} ms  p99 ${p99Ms.toFixed(1)} ms  CPU us a request: ${cpuUs.toFixed(0)}, Postgres ${postgresUs.toFixed(0)}`;

/** Starts one contender, measures it and stops it. */
export async function takeTurn({ ground, start, ...context }) {
  const server = await openServer({ ground, start });
  const turn = await measure(server, { ground, ...context });
  await server.close();
  return turn;
}

async function openServer({ ground, checkout = here, start }) {
  await ground.emptyRedis(checkout);
  const database = await checkout.createDatabase();
  const server = await start(database);
  let total = 0;
  return {
    ...server,
    count: (accepted) => {
      total += accepted;
    },
    close: async () => {
      await server.verify(total);
      await server.stop();
      await database.release();
    },
  };
}

async function measure(server, { ground, generator, warmUpMs, measureMs }) {
  await ground.checkpoint();
  let cpuMs = 0;
  let postgresMs = 0;
  const result = await generator.run(
    { url: server.url, ...server.credentials, warmUpMs, measureMs },
    (phase) => {
      if (phase === 'measuring') ground.profiles.begin();
      else ground.profiles.end();
      const sign = phase === 'measuring' ? -1 : 1;
      cpuMs += sign * server.cpuMs();
      postgresMs += sign * ground.postgresCpuMs();
    },
  );
  allAccepted(result);
  server.count(result.accepted);
  const { counted, seconds, p50Ms, p99Ms } = result;
  return {
    rate: counted / seconds,
    p50Ms,
    p99Ms,
    cpuUs: (1_000 * cpuMs) / counted,
    postgresUs: (1_000 * postgresMs) / counted,
  };
}

/** @param isSigning whether requests are signed instead of carrying the secret */
export async function startIngress({ isSigning = false, ...wishes }) {
  const { checkout, database } = wishes;
  const product = await startProduct({ ...wishes, names: INGRESS });
  const { key, authorization } = product;
  const verify = async (accepted) => {
    await verifyBooks(database.url, checkout);
    await sameCount(database, ['recharge_request', 'recharge_transaction'], accepted);
  };
  return { ...product, verify, credentials: isSigning ? { signingKey: key } : { authorization } };
}

async function startPeer({ ground, name, database, queue }) {
  const port = await freePort();
  const env = {
    PATH: process.env.PATH,
    NODE_ENV: 'production',
    PORT: String(port),
    DATABASE_URL: database.url,
    ...(queue === 'redis' && { REDIS_URL: ground.redisUrlOf(here) }),
  };
  const entry = join(import.meta.dirname, '..', 'peers', `${name}.mjs`);
  const execArgv = ground.profiles.flags(name);
  const peer = await startProcess({ name, entry, env, execArgv, logsDir: ground.logsDir });
  const tables = name === 'bare' ? ['recharge'] : ['recharge_request', 'recharge_transaction'];
  return {
    url: `http://127.0.0.1:${port}`,
    cpuMs: () => cpuMsOf(peer.pid),
    verify: (accepted) => sameCount(database, tables, accepted),
    stop: peer.stop,
  };
}

async function sameCount({ url }, tables, accepted) {
  for (const table of tables) {
    const [{ n }] = await rows(url, `select count(*)::int as n from ${table}`);
    hold(n === accepted, `${accepted} were accepted and ${n} are in ${table}`);
  }
}
