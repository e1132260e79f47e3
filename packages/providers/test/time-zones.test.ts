import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const { privateKey, publicKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});
const dist = (path: string) => JSON.stringify(new URL(`../dist/${path}`, import.meta.url).href);

// A time zone belongs to a process, so each zone gets one of its own. The times lie around changes of summer time.
const script = `
  const { fromChinaTime } = await import(${dist('alibaba-cloud/times.js')});
  const { fromMajor } = await import(${dist('alibaba-cloud/amounts.js')});
  const { alipayProvider } = await import(${dist('index.js')});
  const keys = ${JSON.stringify({ privateKey, alipayPublicKey: publicKey })};
  const alipay = alipayProvider({ appId: '2021', ...keys, now: () => new Date('2026-03-08T06:59:59Z') });
  const order = { reference: '00000000-0000-7000-8000-000000000001', accountId: 'a', amountMinor: 500n };
  const rest = { currency: 'CNY', paymentMethod: 'alipay', notifyUrl: 'http://127.0.0.1:9', metadata: { alipay: 'page' } };
  const { outcome } = await alipay.orders.submit({ ...order, ...rest }, new AbortController().signal);
  await alipay.close();
  console.log(JSON.stringify({
    read: ['2026-03-08 02:30:00', '2026-11-01T01:30:00', '2026-01-01 07:59:59'].map(fromChinaTime),
    amount: String(fromMajor('1,234.56', 'CNY')),
    asked: new URL(outcome.action.value).searchParams.get('timestamp'),
    expires: outcome.action.expiresAt,
  }));
`;

test.each(['America/New_York', 'Asia/Shanghai', 'UTC'])(
  'on a machine in %s, times without a zone are UTC+8, read and written',
  async (TZ) => {
    const args = ['--input-type=module', '-e', script];
    const { stdout } = await promisify(execFile)(process.execPath, args, { env: { ...process.env, TZ } });
    expect(JSON.parse(stdout)).toEqual({
      read: ['2026-03-07T18:30:00.000Z', '2026-10-31T17:30:00.000Z', '2025-12-31T23:59:59.000Z'],
      amount: '123456',
      asked: '2026-03-08 14:59:59',
      expires: '2026-03-08T08:59:59.000Z',
    });
  },
  60_000,
);
