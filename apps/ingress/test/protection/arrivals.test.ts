import { randomUUID } from 'node:crypto';
import { afterEach, expect, test } from '@jest/globals';
import { until } from '@replenish/testing';
import { originOf } from '../../src/http/origin.js';
import { openArrivals } from '../../src/limits/arrivals.js';
import { openOverload } from '../../src/limits/overload.js';
import { openWaits } from '../../src/limits/waits.js';
import { aRecharge, bearer, create, created, end, type Ingress, openIngress } from '../support/ingress.js';
import { openWire, statusesOf } from '../support/wire.js';

const LIMITS = { max: 150, perOriginMax: 50, inFlightMax: 3, waitsMax: 4, waitsPerClientMax: 3 };

const wire = openWire();
const closers: (() => unknown)[] = [];
afterEach(async () => {
  wire.drop();
  for (const close of closers.splice(0)) await close();
});

async function open(limits: Partial<typeof LIMITS> = {}): Promise<Ingress> {
  const { max, perOriginMax, inFlightMax, waitsMax, waitsPerClientMax } = { ...LIMITS, ...limits };
  const ingress = await openIngress({
    // The tests send requests from many addresses.
    auth: { trustProxy: ['127.0.0.1'] },
    protection: ({ registry }) => {
      const overload = openOverload({ delayMaxMs: 60_000, inFlightMax, registry });
      const arrivals = openArrivals({ max, perOriginMax, registry });
      closers.push(overload.close, arrivals.close);
      const waits = openWaits({ max: waitsMax, perClientMax: waitsPerClientMax, overload, registry });
      return { observers: [overload.see], intake: { arrivals, overload }, waits };
    },
  });
  closers.push(ingress.close);
  return ingress;
}

const head = (path: string, headers: Readonly<Record<string, string>>): string =>
  [`POST ${path} HTTP/1.1`, 'host: x', ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)]
    .join('\r\n')
    .concat('\r\n\r\n');

const half = (path: string, address = '192.0.2.7'): string =>
  `${head(path, { 'x-forwarded-for': address, 'content-length': '100' })}{`;

async function sendHalves(url: string, count: number, text: (n: number) => string) {
  const connections = [];
  while (connections.length < count) {
    // Fifty connections are opened at a time, because the kernel queues only 511 of a burst.
    const some = await Promise.all(Array.from({ length: 50 }, () => wire.open(url)));
    for (const { socket } of some) socket.write(text(connections.length));
    connections.push(...some);
  }
  return connections;
}

test.each([
  ['of one address', '/v1/recharges', () => '192.0.2.7', LIMITS.perOriginMax],
  ['of many addresses', '/v1/recharges', (n: number) => `192.0.2.${n % 250}`, LIMITS.max],
  ['of one IPv6 network', '/v1/recharges', (n: number) => `2001:db8::${n}`, LIMITS.perOriginMax],
  ['of one address, for webhooks', '/webhooks/sandbox', () => '192.0.2.7', LIMITS.perOriginMax],
])(
  'endless bodies %s do not block others: the oldest are refused, complete requests are answered',
  async (_, path, addressOf, kept) => {
    const ingress = await open();
    const key = await ingress.client();
    const slow = await sendHalves(ingress.url, kept + 50, (n) => half(path, addressOf(n)));
    const answered = () => slow.filter(({ heard }) => heard() !== '');
    await until(() => answered().length >= 50, { limitMs: 30_000 }, 'refusals');
    for (let n = 0; n < 5; n++)
      for (const address of ['192.0.2.7', '198.51.100.1'])
        expect((await create(ingress, key, aRecharge(), { 'x-forwarded-for': address })).status).toBe(202);
    expect((await ingress.call('POST', '/webhooks/sandbox', { body: '{}' })).status).toBe(401);
    expect(await ingress.metric('replenish_requests_in_flight')).toBe(0);
    // A body that the test itself sent may have arrived in between and freed a place.
    expect(await ingress.metric('replenish_bodies_arriving')).toBeGreaterThanOrEqual(kept - 15);
    for (const { heard, cut } of answered()) {
      await cut;
      expect(statusesOf(heard())).toEqual([503]);
      expect(heard()).toMatch(/^retry-after: 1\r$/im);
    }
    wire.drop();
    const isEmpty = async () => (await ingress.metric('replenish_bodies_arriving')) === 0;
    await until(isEmpty, { limitMs: 30_000 }, 'all places free again');
  },
  30_000,
);

test('only a body that is not whole with its headers counts as arriving', async () => {
  let begun = 0;
  const overload = { enter: () => {} };
  const arrivals = { begin: () => begun++, grow: () => {}, end: () => {} };
  const ingress = await openIngress({ protection: () => ({ intake: { arrivals, overload } }) });
  closers.push(ingress.close);
  const { socket, heard } = await wire.open(ingress.url);
  const answers = (count: number) =>
    until(() => statusesOf(heard()).length === count, { limitMs: 30_000 }, 'an answer');
  const whole = `${head('/v1/recharges', { 'content-length': '2' })}{}`;
  socket.write(whole);
  await answers(1);
  expect(begun).toBe(0);
  socket.write(whole.slice(0, -1));
  await until(() => begun === 1, { limitMs: 30_000 }, 'an arrival');
  socket.write(whole.slice(-1));
  await answers(2);
});

test('a body that stops is refused after 5 s, one that grows is read', async () => {
  const ingress = await open();
  const key = await ingress.client();
  const startedAtMs = performance.now();
  const stuck = await wire.open(ingress.url);
  stuck.socket.write(`${head('/v1/recharges', { 'content-length': '190000' })}{`);
  const dripping = await wire.open(ingress.url);
  dripping.socket.write(head('/webhooks/sandbox', { 'transfer-encoding': 'chunked' }));
  const growing = await wire.open(ingress.url);
  const text = JSON.stringify(aRecharge({ idempotencyKey: randomUUID() })).padEnd(150_000, ' ');
  const headers = { authorization: bearer(key), 'content-type': 'application/json' };
  growing.socket.write(head('/v1/recharges', { ...headers, 'content-length': String(text.length) }));
  let sent = 0;
  const timer = setInterval(() => {
    dripping.socket.write('1\r\n \r\n');
    growing.socket.write(text.slice(sent, sent + 12_500));
    sent += 12_500;
  }, 500);
  const cutAtMs = await Promise.all([stuck.cut, dripping.cut]);
  for (const atMs of cutAtMs) expect(atMs - startedAtMs).toBeGreaterThan(4_500);
  expect(statusesOf(stuck.heard())).toEqual([408]);
  await until(() => statusesOf(growing.heard()).length > 0, { limitMs: 10_000 }, 'an answer');
  clearInterval(timer);
  expect(statusesOf(growing.heard())).toEqual([202]);
}, 30_000);

test('100 Continue is sent only when the body is accepted', async () => {
  const ingress = await open();
  const { socket, heard, cut } = await wire.open(ingress.url);
  socket.write(head('/v1/recharges', { expect: '100-continue', 'content-length': '9999999' }));
  await cut;
  expect(statusesOf(heard())).toEqual([413]);
  const invited = await wire.open(ingress.url);
  invited.socket.write(head('/v1/recharges', { expect: '100-continue', 'content-length': '2' }));
  await until(() => statusesOf(invited.heard()).length === 1, { limitMs: 30_000 }, 'an invitation');
  invited.socket.write('{}');
  await until(() => statusesOf(invited.heard()).length === 2, { limitMs: 30_000 }, 'an answer');
  expect(statusesOf(invited.heard())).toEqual([100, 401]);
});

test('waiting calls do not count as work and keep out no new recharge', async () => {
  const ingress = await open();
  const key = await ingress.client();
  const charges = Array.from({ length: LIMITS.waitsPerClientMax }, () =>
    ingress.call('POST', '/api/charge', {
      key,
      body: { account_id: 'acct-1', amount: 1, currency: 'USD' },
    }),
  );
  const waiting = () => ingress.metric('replenish_requests_waiting');
  await until(async () => (await waiting()) === charges.length, { limitMs: 30_000 }, 'all that wait');
  for (let n = 0; n < LIMITS.inFlightMax + 1; n++) expect((await create(ingress, key)).status).toBe(202);
  expect((await Promise.all(charges)).map(({ body }) => body.status)).toEqual(
    charges.map(() => 'processing'),
  );
  expect([await waiting(), await ingress.metric('replenish_requests_in_flight')]).toEqual([0, 0]);
}, 20_000);

test("beyond a client's limit of waiting calls it is answered at once, and other clients may still wait", async () => {
  const ingress = await open();
  const [key, other] = [await ingress.client(), await ingress.client()];
  const [mine, theirs] = [await created(ingress, key), await created(ingress, other)];
  const wait = (id: string, of: typeof key) =>
    ingress.call('GET', `/v1/recharges/${id}`, { key: of, headers: { prefer: 'wait=20' } });
  const waiting = Array.from({ length: LIMITS.waitsPerClientMax }, () => wait(mine.id, key));
  const count = () => ingress.metric('replenish_requests_waiting');
  await until(async () => (await count()) === waiting.length, { limitMs: 30_000 }, 'all that wait');
  const beyond = await wait(mine.id, key);
  expect([beyond.status, beyond.headers.get('preference-applied')]).toEqual([200, null]);
  const another = wait(theirs.id, other);
  await until(async () => (await count()) === waiting.length + 1, { limitMs: 30_000 }, 'one more');
  await end(ingress, mine, 'settled');
  await end(ingress, theirs, 'settled');
  const answers = await Promise.all([...waiting, another]);
  expect(new Set(answers.map(({ headers }) => headers.get('preference-applied')))).toEqual(
    new Set(['wait=20']),
  );
}, 20_000);

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['2001:DB8:0:1:2:3:4:5', '2001:db8:0:1::/64'],
  ['2001:db8:0:01::9', '2001:db8:0:1::/64'],
  ['2001:db8::1:0:0:9', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
])('the origin of %s is %s', (address, origin) => {
  expect(originOf(address)).toBe(origin);
});
