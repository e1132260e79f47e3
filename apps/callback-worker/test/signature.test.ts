import { expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { signatureHeaders } from '../src/signature.js';

const secret = (byte: number) => `whsec_${Buffer.alloc(32, byte).toString('base64')}`;
const message = {
  id: '01a2122d-0000-7000-8000-1ae329a0e10f',
  at: new Date(),
  body: '{"type":"recharge.succeeded"}',
};

test('the library of Standard Webhooks verifies what is signed, with each secret of an overlap', () => {
  const headers = signatureHeaders({ ...message, secrets: [secret(1), secret(2)] });
  for (const known of [1, 2])
    expect(new Webhook(secret(known)).verify(message.body, headers)).toEqual({ type: 'recharge.succeeded' });
  expect(() => new Webhook(secret(3)).verify(message.body, headers)).toThrow();
  expect(() => new Webhook(secret(1)).verify(`${message.body} `, headers)).toThrow();
});
