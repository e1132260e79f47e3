import { createPrivateKey, verify } from 'node:crypto';
import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import type { AlipaySdk } from 'alipay-sdk';
import { openSdkTransport, type SdkCall } from '../transport/sdk-call.js';

export type AlipayAccount = Readonly<{
  /** `ALIPAY_APP_ID`. */
  appId: string;
  /** `ALIPAY_PRIVATE_KEY`: PEM or bare base64, PKCS#8 or PKCS#1. */
  privateKey: string;
  /** `ALIPAY_PUBLIC_KEY`: Alipay's key, not the app's. While it changes, two of them, separated by a comma. */
  alipayPublicKey: string;
  /** `ALIPAY_ENDPOINT`: the host of V3, without a path. */
  endpoint?: string | undefined;
  /** `ALIPAY_GATEWAY`: the address of V2, which only the pay page uses. */
  gateway?: string | undefined;
}>;

/** Alipay's own address of V3. */
export const ENDPOINT = 'https://openapi.alipay.com';

/** The result of one request: the answer's data, or the SDK's error. */
export type AlipayReply =
  | Readonly<{ call: SdkCall; data: unknown }>
  | Readonly<{ call: SdkCall; error: unknown }>;

export interface AlipayClient {
  /** Makes one request of V3, without retries and redirects. Never throws. */
  ask(path: string, body: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<AlipayReply>;
  /** Makes one request that only reads, without retries and redirects. Never throws. */
  read(path: string, query: Readonly<Record<string, string>>, signal: AbortSignal): Promise<AlipayReply>;
  /** The address of the pay page, with `at` as its time. It makes no request. */
  payPageUrl(notifyUrl: string, bizContent: Readonly<Record<string, unknown>>, at: Date): string;
  /** Whether Alipay signed the fields of a notification. */
  isSigned(fields: Readonly<Record<string, string>>): boolean;
  close(): Promise<void>;
}

// The guard's limit is shorter. This one only ends requests whose answer nobody awaits any more.
const TIMEOUT_MS = 60_000;

/** @throws when a key or an address cannot be read */
export function openAlipay(account: AlipayAccount): AlipayClient {
  const endpoint = new URL(account.endpoint ?? ENDPOINT).origin;
  const privateKey = pkcs8Of(account.privateKey);
  const transport = openSdkTransport(endpoint);
  const publicKeys = account.alipayPublicKey.split(',').map((key) => key.trim());
  const opened: AlipaySdk[] = [];
  const sdks = () => {
    if (opened.length === 0)
      opened.push(
        ...publicKeys.map((key) => sdkOf({ ...account, endpoint, privateKey, alipayPublicKey: key })),
      );
    return opened;
  };
  const sdk = () => sdks()[0]!;
  const made = async (
    method: 'GET' | 'POST',
    path: string,
    given: Readonly<{ body?: Record<string, unknown>; query?: Record<string, string> }>,
    signal: AbortSignal,
  ): Promise<AlipayReply> => {
    const call = transport.begin(signal);
    try {
      const options = { ...given, agent: call.dispatcher as never, requestTimeout: TIMEOUT_MS };
      const { data } = await call.run(() => sdk().curl<unknown>(method, path, options));
      return { call, data };
    } catch (error) {
      const data = dataSignedBy(sdks().slice(1), error);
      return data === undefined ? { call, error } : { call, data };
    }
  };
  return {
    ask: (path, body, signal) => made('POST', path, { body: { ...body } }, signal),
    read: (path, query, signal) => made('GET', path, { query: { ...query } }, signal),
    payPageUrl: (notifyUrl, bizContent, at) => {
      // The SDK writes the local time of the machine, and Alipay reads it as UTC+8.
      const params = { notifyUrl, timestamp: inChinaTime(at), bizContent: { ...bizContent } };
      return sdk().pageExecute('alipay.trade.page.pay', 'GET', params);
    },
    isSigned(fields) {
      // The SDK takes RSA with SHA-1 too, and throws for names that it does not know.
      if (fields.sign_type !== 'RSA2') return false;
      try {
        return sdks().some((one) => one.checkNotifySignV2({ ...fields }));
      } catch {
        return false;
      }
    },
    close: () => transport.close(),
  };
}

const CHINA_OFFSET_MS = 8 * 3_600_000;

const inChinaTime = (at: Date): string =>
  new Date(at.getTime() + CHINA_OFFSET_MS).toISOString().slice(0, 19).replace('T', ' ');

type UnverifiedAnswer = Readonly<{
  code?: unknown;
  responseDataRaw?: unknown;
  responseHttpHeaders?: Readonly<Record<string, unknown>>;
}>;

/**
 * The data of an answer that the first key did not sign and another one did. The SDK knows one key only, and its error
 * holds the answer. Undefined: no key signed it, or the error is another one.
 */
function dataSignedBy(others: readonly AlipaySdk[], error: unknown): unknown {
  const { code, responseDataRaw: raw, responseHttpHeaders: headers } = (error ?? {}) as UnverifiedAnswer;
  if (code !== 'response-signature-verify-error' || typeof raw !== 'string' || !headers) return undefined;
  const text = `${headers['alipay-timestamp']}\n${headers['alipay-nonce']}\n${raw}\n`;
  const signature = Buffer.from(String(headers['alipay-signature'] ?? ''), 'base64');
  const isSigned = others.some(({ config: { alipayPublicKey } }) =>
    verify('RSA-SHA256', Buffer.from(text), alipayPublicKey!, signature),
  );
  if (!isSigned) return undefined;
  try {
    return JSON.parse(raw) as unknown;
  } catch {
    return undefined;
  }
}

/**
 * Loads the SDK at its first use. It costs megabytes, and most processes never call Alipay.
 *
 * Its urllib replaces `Socket.prototype.destroy` of the whole process by a function that throws when two sockets end
 * with one error. Closing any pool with two connections then hangs, so the original is put back.
 */
function loadSdk(): typeof AlipaySdk {
  const { destroy } = Socket.prototype;
  try {
    return (createRequire(import.meta.url)('alipay-sdk') as typeof import('alipay-sdk')).AlipaySdk;
  } finally {
    Socket.prototype.destroy = destroy;
  }
}

function sdkOf(account: AlipayAccount): AlipaySdk {
  const Sdk = loadSdk();
  const { appId, privateKey, alipayPublicKey, endpoint, gateway } = account;
  return new Sdk({
    ...{ appId, privateKey, alipayPublicKey },
    keyType: 'PKCS8',
    signType: 'RSA2',
    timeout: TIMEOUT_MS,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(gateway === undefined ? {} : { gateway }),
  });
}

/**
 * The key as PEM in PKCS#8. The SDK has to be told the form of a key, and Alipay's tools make both.
 *
 * @throws when it is not a private key
 */
function pkcs8Of(key: string): string {
  const der = Buffer.from(key.replace(/-----[^-]+-----/g, '').replace(/\s/g, ''), 'base64');
  for (const type of ['pkcs8', 'pkcs1'] as const) {
    try {
      const read = createPrivateKey({ key: der, format: 'der', type });
      return read.export({ format: 'pem', type: 'pkcs8' }).toString();
    } catch {
      // The next form may fit the key.
    }
  }
  throw new Error('ALIPAY_PRIVATE_KEY is not a private key in PKCS#8 or PKCS#1');
}
