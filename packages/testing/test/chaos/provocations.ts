import { createHash, createHmac, randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { NewKey } from '@replenish/domain';
import type pg from 'pg';
import type { Canaries } from '../../src/books/leaks.js';
import type { Fleet } from '../../src/fleet/fleet.js';
import { bearer } from '../../src/fleet/producer.js';
import { eventBody } from '../../src/fleet/webhook.js';
import { until } from '../../src/until.js';

/** The fleet to provoke, the secrets to plant, and the collected answers. */
export type Setting = Readonly<{
  fleet: Fleet;
  db: pg.Client;
  canaries: Canaries;
  key: NewKey;
  /** A card number that callers put into wrong places. */
  card: string;
  answers: string[];
  statuses: Set<number>;
}>;

type Sent = Readonly<{ headers?: Record<string, string>; body?: string }>;

/** Makes one call and keeps its answer with the headers. */
export async function ask(at: Setting, method: string, path: string, sent: Sent = {}): Promise<void> {
  const answer = await fetch(at.fleet.ingressUrl + path, {
    method,
    ...sent,
    headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID(), ...sent.headers },
  });
  at.statuses.add(answer.status);
  at.answers.push(`${JSON.stringify([...answer.headers])} ${await answer.text()}`);
}

export const recharge = (changes: object = {}): string =>
  JSON.stringify({ accountId: 'acct-1', amount: 4_999, currency: 'USD', ...changes });

/** The headers of a valid signature. A full signature is a secret while its window is open, so it is planted too. */
export function signed({ canaries, key }: Setting, method: string, path: string, body = '') {
  const [timestamp, nonce] = [String(Math.floor(Date.now() / 1_000)), randomUUID()];
  const bodyHash = createHash('sha256').update(body).digest('hex');
  const lines = ['v1', method, path, timestamp, nonce, bodyHash].join('\n');
  const signature = createHmac('sha256', key.secret).update(lines).digest('hex');
  canaries.plant(`signature of ${method} ${path}`, signature);
  return {
    authorization: `Bearer ${key.keyId}`,
    'x-timestamp': timestamp,
    'x-nonce': nonce,
    'x-signature': `v1=${signature}`,
  };
}

/** Puts the secret and the card number into wrong places, in each part of a request. */
export async function misplaced(at: Setting): Promise<void> {
  const { secret } = at.key;
  const authorization = bearer(at.key);
  const spaced = at.card.replace(/(\d{4})(?=\d)/g, '$1 ');
  for (const wrong of [secret, at.card, spaced, authorization]) {
    const inUrl = encodeURIComponent(wrong);
    for (const path of [`/v1/recharges/${inUrl}`, `/${inUrl}`, `/webhooks/${inUrl}`])
      await ask(at, path.startsWith('/w') ? 'POST' : 'GET', path, { headers: { authorization } });
    for (const query of [`orderReference=${inUrl}`, `${inUrl}=1`, `cursor=${inUrl}`, `limit=${inUrl}`])
      await ask(at, 'GET', `/v1/recharges?${query}`, { headers: { authorization } });
    const bodies = [
      recharge({ orderReference: wrong }),
      recharge({ metadata: { note: wrong } }),
      recharge({ metadata: { [wrong.slice(0, 40)]: 'note' } }),
      recharge({ [wrong]: 1 }),
      recharge({ planId: `paid with ${wrong}` }),
      recharge({ currency: wrong }),
      recharge({ timestamp: wrong }),
      `{"a":"${wrong}"`,
      wrong,
      `<recharge><${wrong}/></recharge>`,
    ].filter((body) => !isStorable(body, wrong, at.card));
    for (const body of bodies) await ask(at, 'POST', '/v1/recharges', { body, headers: { authorization } });
    await ask(at, 'POST', '/api/charge', { body: recharge({ note: wrong }), headers: { authorization } });
  }
  // A line break could make a second line in the log, and an escape could colour a terminal.
  for (const path of ['/v1/recharges/a%0d%0a%7b%22level%22%3a%22fatal%22%7d', '/%1b%5b31mred'])
    await ask(at, 'GET', path, { headers: { authorization, 'x-correlation-id': '{"level":"fatal"}' } });
  const tooLarge = recharge({ planId: secret }).padEnd(250_000);
  await ask(at, 'POST', '/v1/recharges', { body: tooLarge, headers: { authorization } });
  for (const name of ['cookie', 'x-api-key', 'proxy-authorization', 'user-agent', 'referer'])
    await ask(at, 'GET', '/v1/recharges', { headers: { authorization, [name]: secret } });
}

/**
 * Whether the API would store the body with the planted text. It stores text fields as sent, and refuses only card
 * numbers in them. Such a body is not sent, because the client itself would have put the secret into the database.
 */
const isStorable = (body: string, wrong: string, card: string): boolean =>
  !wrong.replaceAll(' ', '').includes(card) && /orderReference|planId|metadata/.test(body);

/** Calls without a valid key. */
export async function strangers(at: Setting, revoked: NewKey, narrow: NewKey): Promise<void> {
  const { keyId, secret } = at.key;
  const forms = [
    `Bearer ${keyId}.${secret}x`,
    `Bearer ${keyId}.${at.canaries.plant('a wrong secret', `rs_${randomUUID()}`)}`,
    `Bearer ${secret}`,
    `Basic ${Buffer.from(`${keyId}:${secret}`).toString('base64')}`,
    `Bearer ${at.canaries.plant('an access token', `eyJhbGciOiJIUzI1NiJ9.${randomUUID()}.${randomUUID()}`)}`,
    bearer(revoked),
  ];
  for (const authorization of forms) await ask(at, 'GET', '/v1/recharges', { headers: { authorization } });
  const path = '/v1/recharges?limit=1';
  const headers = signed(at, 'GET', path);
  await ask(at, 'GET', path, { headers });
  await ask(at, 'GET', path, { headers });
  await ask(at, 'GET', '/v1/recharges?limit=2', { headers });
  await ask(at, 'POST', '/v1/recharges', { headers: { authorization: bearer(narrow) }, body: recharge() });
  const foreign = '/v1/accounts/acct-2/ledger';
  await ask(at, 'GET', foreign, { headers: { authorization: bearer(narrow) } });
  for (let n = 0; n < 5; n++)
    await ask(at, 'GET', '/v1/account/balance?accountId=acct-1', {
      headers: { authorization: bearer(narrow) },
    });
}

/** Bytes that the HTTP server itself refuses, before there is a request. */
export async function brokenHttp(at: Setting): Promise<void> {
  const authorization = `Authorization: ${bearer(at.key)}`;
  const start = `POST /v1/recharges HTTP/1.1\r\nHost: x\r\n${authorization}\r\n`;
  for (const rest of [
    `X-Long: ${'x'.repeat(17_000)}\r\n\r\n`,
    'Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ]) {
    const socket = connect(Number(new URL(at.fleet.ingressUrl).port), '127.0.0.1');
    // The server may close before it has read all bytes. Then the rest cannot be sent.
    socket.on('error', () => {});
    socket.write(start + rest);
    at.answers.push(await text(socket).catch((error: Error) => error.message));
  }
}

/** Webhooks that are valid, forged, stale, or no events. */
export async function webhooks(at: Setting): Promise<void> {
  const order = { id: 'sbx_1', reference: randomUUID(), amount: 1, currency: 'USD', accountId: 'a' };
  const good = eventBody(order, 'settled');
  for (const [body, ageSeconds, change] of [
    [good, 0, ''],
    [good, 0, 'x'],
    [good, 600, ''],
    ['{}', 0, ''],
  ] as const) {
    const [id, timestamp] = [`evt-${randomUUID()}`, String(Math.floor(Date.now() / 1_000) - ageSeconds)];
    const key = Buffer.from(at.fleet.webhookSecret.replace('whsec_', ''), 'base64');
    const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
    at.canaries.plant(`signature of ${id}`, signature);
    const headers = {
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${change}${signature}`,
    };
    await ask(at, 'POST', '/webhooks/sandbox', { body, headers });
  }
}

/** Our own faults: a missing table, and sessions that are cut under a load. */
export async function brokenStore(at: Setting): Promise<void> {
  const authorization = bearer(at.key);
  const everything = () =>
    Promise.all([
      ask(at, 'POST', '/v1/recharges', { body: recharge(), headers: { authorization } }),
      ask(at, 'POST', '/v1/recharges', {
        body: recharge(),
        headers: signed(at, 'POST', '/v1/recharges', recharge()),
      }),
      ask(at, 'GET', '/v1/recharges', { headers: { authorization } }),
      ask(at, 'GET', '/v1/account/balance?accountId=acct-1', { headers: { authorization } }),
      webhooks(at),
    ]);
  for (const table of ['recharge_request', 'api_key', 'webhook_event', 'nonce', 'ledger_account']) {
    await at.db.query(`alter table ${table} rename to ${table}_away`);
    await everything().finally(() => at.db.query(`alter table ${table}_away rename to ${table}`));
  }
  // A missing schema is an outage. An error that neither a caller nor an outage causes is our own fault.
  await at.db.query(
    'alter table recharge_request add constraint takes_nothing check (client_id is null) not valid',
  );
  await everything().finally(() => at.db.query('alter table recharge_request drop constraint takes_nothing'));
  const cut = 'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()';
  const isRefused = async () => {
    const asked = everything();
    await at.db.query(`${cut} and datname = current_database()`);
    await asked;
    return at.statuses.has(503);
  };
  await until(isRefused, { limitMs: 30_000, everyMs: 1 }, 'a call that met a session that was cut');
}
