import { expect, test } from '@jest/globals';
import { createLogger } from '@replenish/runtime';
import { openSandbox } from '../src/sandbox.js';
import { dropFolder, newFolder } from './support/dialects.js';
import { SECRET } from './support/receiver.js';

test('the sandbox names its dialects, serves their control APIs, and shares its outage with them', async () => {
  const dataDir = newFolder();
  const sandbox = await openSandbox({
    ...{ host: '127.0.0.1', port: 0, dataDir, webhookSecret: SECRET, log: createLogger('sandbox', 'silent') },
    dialects: { ports: { alibaba: 0, alipay: 0, stripe: 0 }, stripeWebhookUrl: null, paysAfterMs: null },
  });
  const get = async (url: string, headers = {}) => fetch(url, { headers });
  const endpoints = await (await get(`${sandbox.url}/_control/endpoints`)).json();
  expect(endpoints).toMatchObject({
    alipay: { url: expect.any(String), sellerId: expect.any(String), alipayPublicKey: expect.any(String) },
    stripe: { url: expect.any(String), secretKey: expect.any(String), webhookSecret: SECRET },
  });
  const { stripe } = endpoints as { stripe: { url: string; secretKey: string } };
  const balance = () => get(`${stripe.url}/v1/balance`, { authorization: `Bearer ${stripe.secretKey}` });
  expect((await balance()).status).toBe(200);
  const setOutage = (mode: string) =>
    fetch(`${sandbox.url}/_control/outage`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ mode }),
    });
  await setOutage('errors');
  expect((await balance()).status).toBe(500);
  await setOutage('down');
  await expect(balance()).rejects.toThrow();
  await setOutage('none');
  expect((await balance()).status).toBe(200);
  expect(await (await get(`${sandbox.url}/_control/stripe/payment_intents`)).json()).toEqual({
    payment_intents: [],
  });
  expect(await (await get(`${sandbox.url}/_control/alipay/trades`)).json()).toEqual({ trades: [] });
  await sandbox.close();
  dropFolder(dataDir);
});
