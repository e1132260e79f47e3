import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { callbackTypes } from '@replenish/domain/rules';
import { aRecharge, create, type Ingress, openIngress } from '../support/ingress.js';
import { expectProblem } from '../support/problem.js';

let ingress: Ingress;
let key: NewKey;
beforeAll(async () => {
  ingress = await openIngress();
  key = await ingress.client();
});
afterAll(() => ingress.close());

const url = 'https://93.184.216.34/hook';
const inXml = { 'content-type': 'application/xml' };
const endpointXml = (events: string): string =>
  `<callbackEndpoint><url>${url}</url>${events}</callbackEndpoint>`;
const createInXml = (events: string, more: Record<string, string> = {}) =>
  ingress.call('POST', '/v1/callback-endpoints', {
    key,
    body: endpointXml(events),
    headers: { ...inXml, ...more },
  });

test.each([[['recharge.succeeded']], [['recharge.succeeded', 'refund.failed']]])(
  'an endpoint in XML hears %j, and is the one of the same request in JSON',
  async (events) => {
    const headers = { 'idempotency-key': randomUUID() };
    const items = events.map((event) => `<item>${event}</item>`).join('\n');
    const made = await createInXml(`<events>${items}</events>`, headers);
    expect([made.status, made.body.events]).toEqual([201, events]);
    const inJson = { key, body: { url, events }, headers };
    const again = await ingress.call('POST', '/v1/callback-endpoints', inJson);
    expect([again.status, again.body.endpointId]).toEqual([200, made.body.endpointId]);
  },
);

test('an endpoint in XML without events hears all of them', async () => {
  const made = await createInXml('');
  expect([made.status, made.body.events]).toEqual([201, callbackTypes]);
});

test.each([
  ['no item', '<events/>'],
  ['a text', '<events>recharge.succeeded</events>'],
  ['a text beside items', '<events>x<item>recharge.succeeded</item></events>'],
  ['another element', '<events><event>recharge.succeeded</event></events>'],
  ['an element in an item', '<events><item><a>recharge.succeeded</a></item></events>'],
  ['an item that is nil', '<events><item nil="true"/></events>'],
  ['an unknown event', '<events><item>recharge.vanished</item></events>'],
])('events in XML with %s are refused', async (_what, events) => {
  expectProblem(await createInXml(events), 400, 'INVALID_ARGUMENT');
});

test('a replay of a delivery is a repeated request only under a key that was used before', async () => {
  await create(ingress, key, aRecharge({ callbackUrl: url }));
  const { body } = await ingress.call('GET', '/v1/callback-deliveries', { key });
  const [delivery] = body.data as { deliveryId: string }[];
  const path = `/v1/callback-deliveries/${delivery!.deliveryId}/replay`;
  const replay = async (headers: Record<string, string> = {}) => {
    const answer = await ingress.call('POST', path, { key, headers });
    return [answer.status, answer.headers.get('idempotent-replayed'), answer.body.status];
  };
  expect(await replay()).toEqual([202, null, 'pending']);
  expect(await replay({ 'idempotency-key': 'again-1' })).toEqual([202, null, 'pending']);
  expect(await replay({ 'idempotency-key': 'again-1' })).toEqual([200, 'true', 'pending']);
});
