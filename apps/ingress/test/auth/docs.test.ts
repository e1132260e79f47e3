import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { presentedBy } from '../../src/auth/forms.js';
import { signedText } from '../../src/auth/signatures.js';
import { hmacHex } from '../support/signing.js';

const page = readFileSync(join(import.meta.dirname, '../../../../docs/authentication.md'), 'utf8');

/** The value in a row of the worked examples in docs/authentication.md. */
function printed(row: string, nth = 0): string {
  const rows = [...page.matchAll(/^\| (.+?) +\| `(.+)` +\|$/gm)].filter(
    ([, name]) => name?.replaceAll('`', '') === row,
  );
  return rows[nth]![2]!;
}

const headers = {
  authorization: `Bearer ${printed('key id')}`,
  'x-timestamp': printed('X-Timestamp'),
  'x-nonce': printed('X-Nonce'),
  'x-signature': printed('X-Signature'),
};

test('the worked signature is the one that the ingress expects', () => {
  const [method, originalUrl] = printed('request').split(' ');
  const presented = presentedBy(headers);
  if (presented?.form !== 'signed') throw new Error('the example is no signed request');
  const text = signedText(
    { method: method!, originalUrl: originalUrl!, body: Buffer.from(printed('body')) },
    presented,
  );
  expect(text.split('\n').at(-1)).toBe(printed('SHA-256 of the body'));
  expect(createHash('sha256').update(printed('body')).digest('hex')).toBe(printed('SHA-256 of the body'));
  expect(`v1=${hmacHex(printed('secret'), text)}`).toBe(headers['x-signature']);
});

test('the worked balance signature is the one that the ingress expects', () => {
  expect(printed('text')).toBe(printed('timestamp') + printed('key id'));
  const signature = printed('X-Signature', 1);
  expect(hmacHex(printed('secret'), printed('text'))).toBe(signature);
  expect(presentedBy({ authorization: headers.authorization, 'x-signature': signature })?.form).toBe('s3');
});
