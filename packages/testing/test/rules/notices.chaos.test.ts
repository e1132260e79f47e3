import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { bearer, client } from '../../src/fleet/producer.js';
import { until } from '../../src/until.js';
import { openStage, patience, type Stage, TEST_LIMIT_MS } from '../support/setting.js';

jest.setTimeout(TEST_LIMIT_MS);

const LIMIT = { limitMs: TEST_LIMIT_MS / 4, everyMs: 50 };

let stage: Stage;
let key: NewKey;
let chat: Server;
const texts: string[] = [];

beforeAll(async () => {
  chat = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    texts.push((JSON.parse(body) as { text: string }).text);
    response.end('ok');
  });
  chat.listen(0, '127.0.0.1');
  await once(chat, 'listening');
  stage = await openStage({
    processes: ['sandbox', 'ingress', 'automation-worker', 'callback-worker'],
    env: {
      ...patience,
      NOTIFY_SLACK_URL: `http://127.0.0.1:${(chat.address() as AddressInfo).port}/services/token`,
      NOTIFY_EVERY_MS: '0',
      CONSOLE_URL: 'http://console.test/',
      RULE_LOOK_MS: '500',
    },
  });
  key = await client(stage.fleet, { scopes: ['rules:write'] });
});
afterAll(async () => {
  chat?.close();
  await stage?.close();
});

/** A rule that tells about an empty wallet. Returns its account. */
async function tellingRule(accountId: string): Promise<void> {
  const response = await fetch(`${stage.fleet.ingressUrl}/v1/rules`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: bearer(key) },
    body: JSON.stringify({
      ...{
        accountId,
        currency: 'USD',
        watch: 'wallet',
        below: 1_000,
        recharge: { upTo: 5_000 },
        mode: 'notify',
      },
      caps: { perRecharge: 5_000, perDay: 50_000, perMonth: 100_000 },
    }),
  });
  expect(response.status).toBe(201);
}
const about = (accountId: string) => texts.filter((text) => text.includes(accountId));
const isFiled = async () => {
  const { rows } = await stage.db.query('select 1 from notice where due_at is not null');
  return rows.length === 0;
};

test('a rule that only tells reaches the chat once, with the amounts and a link', async () => {
  await tellingRule('acct-told');
  await until(() => about('acct-told').length > 0 && isFiled(), LIMIT, 'a message');
  expect(about('acct-told')).toHaveLength(1);
  expect(about('acct-told')[0]).toMatch(
    /acct-told has 0\.00 USD, less than 10\.00 USD: recharge 50\.00 USD .*\n {2}http:\/\/console\.test\/rules\/[\da-f-]{36}/,
  );
});

test.each(['notice.after-claim', 'notice.after-send'])(
  'people are told although the worker is killed at %s',
  async (point) => {
    const accountId = `acct-${point.replace('.', '-')}`;
    stage.fleet.arm(point);
    await tellingRule(accountId);
    await stage.fleet.crashed(point, TEST_LIMIT_MS);
    // The claim of the dead worker would end by itself later. The test does not wait for that.
    await stage.db.query(`update notice set due_at = now() - interval '1 s' where due_at is not null`);
    await until(isFiled, LIMIT, 'a filed message');
    expect(about(accountId).length).toBe(point === 'notice.after-send' ? 2 : 1);
  },
);
