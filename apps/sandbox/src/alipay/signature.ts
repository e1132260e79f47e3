import { createPublicKey, createSign, createVerify, randomUUID } from 'node:crypto';

export const rsa2 = (text: string, privateKey: string): string =>
  createSign('RSA-SHA256').update(text, 'utf8').sign(privateKey, 'base64');

export function isRsa2(text: string, signature: string, publicKey: string): boolean {
  return createVerify('RSA-SHA256')
    .update(text, 'utf8')
    .verify(createPublicKey(publicKey), signature, 'base64');
}

/** The text that V2 signs: the parameters sorted by name, with their raw values. */
export const signedText = (params: Readonly<Record<string, string>>, left: readonly string[]): string =>
  Object.keys(params)
    .filter((name) => !left.includes(name) && params[name] !== '')
    .sort()
    .map((name) => `${name}=${params[name]}`)
    .join('&');

/** The parts of the header `Authorization` of V3. Null when it has another form. */
export function readAuthorization(header: string) {
  const [, signed, signature] = /^ALIPAY-SHA256withRSA (.+),sign=([A-Za-z0-9+/=]+)$/.exec(header) ?? [];
  if (signed === undefined || signature === undefined) return null;
  const fields = new Map(
    signed.split(',').map((pair) => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at), pair.slice(at + 1)] as const;
    }),
  );
  return {
    ...{ signed, signature },
    appId: fields.get('app_id') ?? '',
    nonce: fields.get('nonce') ?? '',
    timestampMs: Number(fields.get('timestamp') ?? Number.NaN),
  };
}

/** The headers that sign an answer of V3. */
export function answerHeaders(body: string, privateKey: string): Record<string, string> {
  const timestamp = String(Date.now());
  const nonce = randomUUID().replaceAll('-', '');
  return {
    'alipay-timestamp': timestamp,
    'alipay-nonce': nonce,
    'alipay-signature': rsa2(`${timestamp}\n${nonce}\n${body}\n`, privateKey),
  };
}
