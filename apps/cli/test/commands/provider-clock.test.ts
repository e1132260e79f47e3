import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openProviders, type Providers } from '@replenish/providers';
import { checkAccount, clockOf } from '../../src/commands/provider/check.js';

let server: Server;
let providers: Providers;
beforeAll(async () => {
  // A fake provider that knows no order. Its answers carry a `Date`.
  server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end('{"object":"search_result","data":[],"has_more":false}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  providers = openProviders({
    ...{ SANDBOX_URL: 'http://127.0.0.1:1', PROVIDER_TIMEOUT_MS: 30_000, NODE_ENV: 'production' },
    ...{ STRIPE_SECRET_KEY: 'sk_live_1', STRIPE_WEBHOOK_SECRET: 'whsec_1', STRIPE_API_BASE: url },
  });
});
afterAll(async () => {
  await providers.close();
  server.close();
});

test.each([
  ['right', 0, true],
  ['off', 120_000, true],
  ['off', -120_000, true],
  ['refused', 400_000, false],
] as const)('a clock is %s that is %i ms off the Date of the answers', async (verdict, offMs, ok) => {
  const checked = await checkAccount(providers.get('stripe', 'main')!, () => Date.now() + offMs);
  expect(checked).toMatchObject({ ok, reads: [{ isUsable: true }], clock: { verdict } });
  expect(Math.sign(checked.clock.aheadSeconds!)).toBe(Math.sign(offMs));
});

test.each([
  ['alibaba_cloud', 59, 'right'],
  ['alibaba_cloud', 60, 'off'],
  ['alibaba_cloud', -900, 'off'],
  ['alibaba_cloud', -901, 'refused'],
  ['alipay', 601, 'refused'],
  ['stripe', 301, 'refused'],
  ['sandbox', 301, 'refused'],
])('%s with a clock that is %i s ahead: %s', (provider, seconds, verdict) => {
  expect(clockOf(provider, seconds * 1_000)).toMatchObject({ verdict, aheadSeconds: seconds });
});

test('the words say which way the clock is wrong, and what to do', () => {
  expect(clockOf('alipay', 700_000).words).toBe(
    'the clock of this machine is 700 s ahead, and more than 600 s are refused: set it by NTP',
  );
  expect(clockOf('alipay', -61_000).words).toContain('61 s behind');
  expect(clockOf('alipay', null)).toMatchObject({ verdict: 'unknown', aheadSeconds: null });
});
