import { here, verifyBooks } from './checkout.mjs';
import { FLEET, startProduct } from './fleet.mjs';
import { hold, rows } from './ground.mjs';
import { allAccepted } from './load.mjs';
import { memoryMbOf } from './processes.mjs';
import { chooseDriver, rowsARecharge, runRoofline } from './roofline.mjs';
import { besideLines, inTurn, line, median, ratios } from './statistics.mjs';

const REDIS_GOAL = 0.25;
const MEMORY_GOAL_MB = 200;

/**
 * The maximum of recharges that are posted and not final. By Little's law 256 take half a second at 500 recharges/s,
 * and 1.7 s at 150/s. That is enough to keep the workers busy. It is below 2 s, after which the sweeper would treat
 * hints as lost and add work.
 */
const UNFINISHED_MAX = 256;
// Time limit of a run. It is enough for about ten thousand recharges at 11/s. A fleet that takes longer counts as
// hanging.
const LIMIT_MS = 900_000;

/**
 * B3: recharges from accepted to SUCCEEDED through all processes, compared with Postgres alone writing the same rows.
 */
export async function measureEndToEnd(context) {
  if (context.beside) return measureBeside(context);
  const { ground, generator, rounds, warmUpMs, measureMs, say, announce } = context;
  const queues = queuesOf(ground, say);
  const driver = await chooseDriver();
  say(
    `\nB3 end to end: accepted to SUCCEEDED, scenario ok, at most ${UNFINISHED_MAX} unfinished; roofline by ${driver}`,
  );
  const rates = { redis: [], postgres: [], roofline: [] };
  for (let round = 1; round <= rounds; round++) {
    let written = null;
    for (const queue of queues) {
      await announce(`  round ${round} ${queue.padEnd(8)}`);
      const turn = await takeTurn({ ground, generator, queue, warmUpMs, measureMs });
      rates[queue].push(turn.rate);
      written = turn.written;
      say(sentence(turn));
    }
    await announce(`  round ${round} roofline`);
    const rate = await runRoofline({ ground, driver, warmUpMs, measureMs, written });
    rates.roofline.push(rate);
    say(`${rate.toFixed(0).padStart(6)}/s`);
  }
  return [
    ...queues.flatMap((queue) => [
      line(
        `end to end, ${queue} / roofline`,
        ratios(rates[queue], rates.roofline),
        queue === 'redis' ? REDIS_GOAL : undefined,
      ),
      line(`  remark: ${queue}, recharges/s`, rates[queue], queue === 'redis' ? undefined : 150, {
        digits: 0,
      }),
    ]),
    line('  remark: roofline, recharges/s', rates.roofline, undefined, { digits: 0 }),
  ];
}

/**
 * B3 for two checkouts, without the roofline. It measures the CPU time per recharge of each process except the
 * provider.
 */
async function measureBeside({ ground, generator, beside, rounds, measureMs, say, announce }) {
  say(`\nB3 end to end: accepted to SUCCEEDED, scenario ok, at most ${UNFINISHED_MAX} unfinished`);
  const checkouts = { ours: here, before: beside };
  const table = [];
  for (const queue of queuesOf(ground, say)) {
    const measured = { ours: [], before: [] };
    const fleets = {};
    for (const [name, checkout] of Object.entries(checkouts))
      fleets[name] = await openFleet({ ground, checkout, queue });
    for (let round = 0; round <= rounds; round++) {
      for (const name of inTurn(Object.keys(checkouts), round)) {
        if (round > 0) await announce(`  round ${round} ${queue} ${name.padEnd(6)}`);
        const turn = await measure(fleets[name], { ground, generator, measureMs });
        if (round === 0) continue; // round 0 only warms up
        measured[name].push(turn);
        say(sentence(turn));
      }
    }
    for (const fleet of Object.values(fleets)) await fleet.close();
    const names = FLEET.filter((name) => name !== 'sandbox');
    const each = Object.fromEntries(
      [...names, 'Postgres'].map((name) => [name, (turn) => usEach(turn, [name])]),
    );
    const figures = { rate: ({ rate }) => rate, 'CPU of ours': (turn) => usEach(turn, names), ...each };
    table.push(...besideLines(`end to end, ${queue}`, measured, figures));
    for (const [name, turns] of Object.entries(measured)) {
      const parts = Object.entries(each).map(([part, of]) => `${part} ${Math.round(median(turns.map(of)))}`);
      table.push(`  remark: ${name}, CPU us each: ${parts.join(', ')}`);
    }
  }
  return table;
}

const usEach = ({ cpuMs, finished }, names) =>
  (1_000 * names.reduce((sum, name) => sum + cpuMs[name], 0)) / finished;

/** The resident memory of every process after `count` recharges, for both queue stores. */
export async function measureMemory({ ground, generator, count, say, announce }) {
  const table = [];
  for (const queue of queuesOf(ground, say)) {
    await announce(`  ${count} recharges, ${queue}`);
    const turn = await takeTurn({ ground, generator, queue, count });
    say(sentence(turn));
    say(`    MB: ${turn.memory.map(({ name, now }) => `${name} ${now}`).join(', ')}`);
    const worst = Math.max(...turn.memory.map(({ highest }) => highest));
    const figures = turn.memory.map(({ name, now, highest }) => `${name} ${now} (${highest})`).join(', ');
    table.push(
      `memory, ${queue}: highest ${worst} MB  goal < ${MEMORY_GOAL_MB}  ${worst < MEMORY_GOAL_MB ? 'ok' : 'missed'}`,
      `  MB now (highest): ${figures}`,
    );
  }
  return table;
}

function queuesOf(ground, say) {
  if (ground.redis) return ['redis', 'postgres'];
  say('\nREDIS_URL is not set: queues on Postgres only, the goal on Redis is not measured');
  return ['postgres'];
}

const sentence = ({ rate, finished, cpuMs }) =>
  `${rate.toFixed(0).padStart(6)}/s  ${finished} recharges, CPU us each: ${Object.entries(cpuMs)
    .map(([name, ms]) => `${name} ${((1_000 * ms) / finished).toFixed(0)}`)
    .join(', ')}`;

async function takeTurn({ ground, queue, ...context }) {
  const fleet = await openFleet({ ground, queue });
  const turn = await measure(fleet, { ground, ...context });
  return { ...turn, ...(await fleet.close()) };
}

async function openFleet({ ground, checkout = here, queue }) {
  await ground.emptyRedis(checkout);
  const database = await checkout.createDatabase();
  const product = await startProduct({ ground, checkout, database, queue, names: FLEET, label: 'b3' });
  let total = 0;
  return {
    product,
    database,
    count: (accepted) => {
      total += accepted;
    },
    close: async () => {
      hold(product.deaths().length === 0, `ended on their own: ${product.deaths()}`);
      await verifyBooks(database.url, checkout);
      await verifyOutcome(database.url, product.sandboxUrl, total);
      const memory = product.processes.map(({ name, pid }) => ({ name, ...memoryMbOf(pid) }));
      const written = await rowsARecharge(database.url);
      await product.stop();
      await database.release();
      return { memory, written };
    },
  };
}

async function measure(fleet, { ground, generator, warmUpMs, measureMs, count }) {
  const { product, database } = fleet;
  const order = {
    url: product.url,
    authorization: product.authorization,
    databaseUrl: database.url,
    unfinishedMax: UNFINISHED_MAX,
    limitMs: LIMIT_MS,
  };
  if (warmUpMs) {
    const warm = await generator.run({ ...order, measureMs: warmUpMs });
    allAccepted(warm);
    fleet.count(warm.accepted);
  }
  await ground.checkpoint();
  const before = cpuMsEach(ground, product);
  ground.profiles.begin();
  const result = await generator.run({ ...order, measureMs, count });
  ground.profiles.end();
  const cpuMs = Object.fromEntries(
    Object.entries(cpuMsEach(ground, product)).map(([name, ms]) => [name, ms - before[name]]),
  );
  allAccepted(result);
  fleet.count(result.accepted);
  return { rate: result.accepted / result.seconds, finished: result.accepted, cpuMs };
}

const cpuMsEach = (ground, product) => ({ ...product.cpuMsEach(), Postgres: ground.postgresCpuMs() });

async function verifyOutcome(databaseUrl, sandboxUrl, total) {
  const stored = await rows(
    databaseUrl,
    'select id, state, amount_minor::int as amount from recharge_transaction',
  );
  hold(stored.length === total, `${total} were accepted and ${stored.length} are stored`);
  const orders = await allOrders(sandboxUrl);
  hold(orders.length === total, `${total} recharges, ${orders.length} orders at the provider`);
  const byReference = new Map(orders.map((order) => [order.reference, order]));
  for (const { id, state, amount } of stored) {
    hold(state === 'SUCCEEDED', `recharge ${id} is ${state}`);
    const order = byReference.get(id);
    const isCharged = order?.charges.length === 1 && order.charges[0].amount === amount;
    hold(isCharged, `recharge ${id} of ${amount} has at the provider: ${JSON.stringify(order)}`);
  }
}

async function allOrders(sandboxUrl) {
  const orders = [];
  for (let cursor = null; ; ) {
    const from = cursor === null ? '' : `&cursor=${cursor}`;
    const response = await fetch(`${sandboxUrl}/_control/orders?limit=1000${from}`);
    const page = await response.json();
    orders.push(...page.orders);
    cursor = page.nextCursor;
    if (!cursor) return orders;
  }
}
