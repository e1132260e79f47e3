import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { addressesOf } from '@replenish/runtime';
import { type NameServer, openNameServer } from '@replenish/testing';
import { openTargets } from '../../src/input/targets.js';
import { aRecharge, create, type Ingress, openIngress } from '../support/ingress.js';

let ingress: Ingress;
let key: NewKey;
let names: NameServer;
beforeAll(async () => {
  ingress = await openIngress();
  key = await ingress.client();
  names = await openNameServer({
    'private.example.com': { a: [['10.0.0.1']] },
    'mixed.example.com': { a: [['198.41.0.4', '127.0.0.1']] },
    'six.example.com': { a: [['198.41.0.4']], aaaa: [['::1']] },
    'public.example.com': { a: [['198.41.0.4']] },
  });
});
afterAll(async () => {
  names.close();
  await ingress.close();
});

test.each([
  ...['https://127.0.0.1/', 'https://[::1]/', 'https://[::ffff:127.0.0.1]/', 'https://2130706433/'],
  ...[
    'https://0x7f.1/',
    'https://169.254.169.254/latest/',
    'https://[fd00:ec2::254]/',
    'https://100.64.0.1/',
  ],
  ...[
    'https://[64:ff9b::7f00:1]/',
    'https://user@shop.example.com/',
    'http://127.0.0.1/',
    'file:///etc/passwd',
  ],
  ...['gopher://shop.example.com/', 'https://shop.example.com:22/', 'https://shop.example.com:6379/'],
])('%s is refused for an endpoint and for a recharge', async (url) => {
  const endpoint = await ingress.call('POST', '/v1/callback-endpoints', { key, body: { url } });
  expect([endpoint.status, endpoint.body.errors]).toMatchObject([400, [{ path: 'url' }]]);
  const recharge = await create(ingress, key, aRecharge({ callbackUrl: url }));
  expect([recharge.status, recharge.body.errors]).toMatchObject([400, [{ path: 'callbackUrl' }]]);
});

test('a name is refused while one of its addresses is private', async () => {
  const targets = openTargets(new Set(), (host, signal) => addressesOf(host, signal, [names.address]));
  for (const name of ['private', 'mixed', 'six'])
    await expect(targets.require(`https://${name}.example.com/`, 'url')).rejects.toMatchObject({
      errors: [{ path: 'url', message: expect.stringContaining('private network') }],
    });
  await targets.require('https://public.example.com/', 'url');
  expect(names.asked('public.example.com')).toBe(1);
});
