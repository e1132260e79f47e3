import { once } from 'node:events';
import { createServer } from 'node:http';
import { bearer, freePort, until } from '@replenish/testing';
import { here, verifyBooks } from './checkout.mjs';
import { FLEET, newKey, startProduct } from './fleet.mjs';
import { hold } from './ground.mjs';
import { median } from './statistics.mjs';

const CLIENTS = 100;
const HEALTHY_PER_CLIENT = 9;
const GOAL_MS = 2_000;
const RECHARGES_PER_SECOND = 3;
const EVENTS = ['recharge.accepted', 'recharge.in_progress', 'recharge.succeeded'];
const HEARD_WITHIN_MS = 120_000;

/** The receivers in trouble. Each client has one of them. */
const troubles = {
  /** Nothing listens there. */
  dead: null,
  slow: () => {},
  endless: (response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write('x'.repeat(256)), 100);
    response.once('close', () => clearInterval(timer));
  },
  redirecting: (response) => response.writeHead(302, { location: '/elsewhere' }).end(),
};

/**
 * Recharges of clients with a thousand receivers together, a tenth of them in trouble. The figure is the time from an
 * event to its arrival at a healthy receiver.
 */
export async function measureCallbacks({ ground, measureMs, say }) {
  const receivers = await openReceivers();
  const database = await here.createDatabase();
  const product = await startProduct({
    ...{ ground, database, queue: ground.redis ? 'redis' : 'postgres', label: 'callbacks' },
    names: [...FLEET, 'callback-worker'],
    settings: { CALLBACK_ALLOW: receivers.places.join() },
  });
  say(
    `\ncallbacks: ${CLIENTS} clients with ${HEALTHY_PER_CLIENT} healthy receivers and one in trouble each, ${RECHARGES_PER_SECOND} recharges a second`,
  );
  const clients = [];
  for (let n = 0; n < CLIENTS; n++) clients.push(await openClient({ product, receivers, n }));
  const count = Math.max(CLIENTS / 2, Math.round((RECHARGES_PER_SECOND * measureMs) / 1_000));
  for (let n = 0; n < count; n++) {
    await recharge(product, clients[n % CLIENTS], n);
    await new Promise((resolve) => setTimeout(resolve, 1_000 / RECHARGES_PER_SECOND));
  }
  const expected = count * HEALTHY_PER_CLIENT * EVENTS.length;
  const hasAll = () => receivers.heard.size >= expected;
  await until(hasAll, { limitMs: HEARD_WITHIN_MS }, 'the healthy receivers heard every event').catch(() =>
    hold(false, `${receivers.heard.size} of ${expected} events arrived`),
  );
  await verifyBooks(database.url);
  await product.stop();
  await database.release();
  receivers.close();
  return lines(receivers, { count });
}

function lines({ heard, troubled }, { count }) {
  const latenesses = [...heard.values()].sort((a, b) => a - b);
  const p99 = latenesses[Math.ceil(latenesses.length * 0.99) - 1];
  return [
    `${'event to healthy receiver, p99'.padEnd(34)} ${`${p99} ms`.padEnd(24)} goal <= ${GOAL_MS}  ${p99 <= GOAL_MS ? 'ok' : 'missed'}`,
    `  remark: p50 ${median(latenesses)} ms, longest ${latenesses.at(-1)} ms, ${latenesses.length} events of ${count} recharges`,
    `  remark: posts to receivers in trouble: ${Object.entries(troubled)
      .map(([name, n]) => `${name} ${n}`)
      .join(', ')}`,
  ];
}

/** One server for the healthy receivers, and one for those in trouble. */
async function openReceivers() {
  // Per receiver and event, how late it came.
  const heard = new Map();
  const troubled = { slow: 0, endless: 0, redirecting: 0 };
  const healthy = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part) => {
      text += part;
    });
    request.on('end', () => {
      const key = `${request.url} ${request.headers['webhook-id']}`;
      if (!heard.has(key)) heard.set(key, Date.now() - Date.parse(JSON.parse(text).timestamp));
      response.writeHead(204).end();
    });
  });
  const sick = createServer((request, response) => {
    const name = request.url.split('/')[1];
    troubled[name] += 1;
    request.resume().on('end', () => troubles[name](response));
  });
  for (const server of [healthy, sick]) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
  const [healthyPlace, sickPlace] = [healthy, sick].map((server) => `127.0.0.1:${server.address().port}`);
  const deadPlace = `127.0.0.1:${await freePort()}`;
  return {
    heard,
    troubled,
    places: [healthyPlace, sickPlace, deadPlace],
    healthyUrl: (path) => `http://${healthyPlace}/${path}`,
    troubledUrl: (name, path) => `http://${name === 'dead' ? deadPlace : sickPlace}/${name}/${path}`,
    close: () => {
      for (const server of [healthy, sick]) {
        server.closeAllConnections();
        server.close();
      }
    },
  };
}

async function openClient({ product, receivers, n }) {
  const scopes = ['recharges:write', 'callbacks:write'];
  const authorization = bearer(await newKey(here, product.env, { name: `bench-${n}`, scopes }));
  const trouble = Object.keys(troubles)[n % Object.keys(troubles).length];
  const urls = [receivers.troubledUrl(trouble, n)];
  for (let nth = 0; nth < HEALTHY_PER_CLIENT; nth++) urls.push(receivers.healthyUrl(`${n}/${nth}`));
  for (const url of urls) await send(`${product.url}/v1/callback-endpoints`, authorization, { url });
  return authorization;
}

const recharge = (product, authorization, n) =>
  send(
    `${product.url}/v1/recharges`,
    authorization,
    { accountId: `acct-${n}`, amount: 4_999, currency: 'USD', paymentMethod: 'sandbox' },
    { 'idempotency-key': `callbacks-${n}` },
  );

async function send(url, authorization, body, headers = {}) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization, ...headers },
    body: JSON.stringify(body),
  });
  hold(response.ok, `${url} was answered ${response.status} ${await response.text()}`);
}
