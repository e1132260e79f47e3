import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { type ProviderValues, simulatorKeys } from './simulators.js';

/** Keys that only work together. */
const pairs = [
  ['ALIBABA_CLOUD_ACCESS_KEY_ID', 'ALIBABA_CLOUD_ACCESS_KEY_SECRET'],
  ['ALIPAY_APP_ID', 'ALIPAY_PRIVATE_KEY', 'ALIPAY_PUBLIC_KEY'],
  ['STRIPE_SECRET_KEY', 'STRIPE_WEBHOOK_SECRET'],
] as const satisfies readonly (readonly (keyof ProviderValues)[])[];

/**
 * One sentence per fault of the providers' settings: keys that lack their counterparts, keys that cannot be read, and
 * in production keys and addresses of simulators. No sentence shows a key.
 */
export const providerFaults = (given: ProviderValues & Rail, isProduction: boolean): string[] => [
  ...pairs.flatMap((names) => incomplete(given, names)),
  ...withoutSource(given),
  ...unreadable(given),
  ...(isProduction ? unreal(given) : []),
];

function incomplete(given: ProviderValues, names: readonly (keyof ProviderValues)[]): string[] {
  const missing = names.filter((name) => given[name] === undefined);
  if (missing.length === 0 || missing.length === names.length) return [];
  const set = names.filter((name) => given[name] !== undefined);
  return [`${set.join(' and ')} needs ${missing.join(' and ')}: set all of them, or none`];
}

type Rail = Readonly<{ ALIBABA_CLOUD_RAIL?: string | undefined }>;

function withoutSource(given: ProviderValues & Rail): string[] {
  const pays = given.ALIBABA_CLOUD_RAIL ?? 'fund_account';
  if (given.ALIBABA_CLOUD_ACCESS_KEY_ID === undefined || pays !== 'fund_account') return [];
  return given.ALIBABA_CLOUD_FUND_ACCOUNT_ID === undefined
    ? ['ALIBABA_CLOUD_ACCESS_KEY_ID needs ALIBABA_CLOUD_FUND_ACCOUNT_ID: the fund account that pays']
    : [];
}

function unreadable({ ALIPAY_PRIVATE_KEY, ALIPAY_PUBLIC_KEY }: ProviderValues): string[] {
  const faults: string[] = [];
  if (ALIPAY_PRIVATE_KEY !== undefined && !isPrivateKey(ALIPAY_PRIVATE_KEY))
    faults.push('ALIPAY_PRIVATE_KEY is no RSA key in PKCS#8 or PKCS#1');
  const publicKeys = ALIPAY_PUBLIC_KEY?.split(',') ?? [];
  if (publicKeys.some((key) => !isPublicKey(key)))
    faults.push('ALIPAY_PUBLIC_KEY is no RSA public key: it is the key that Alipay shows for the app');
  else if (publicKeys.some((key) => isOwnPublicKey(ALIPAY_PRIVATE_KEY, key)))
    faults.push("ALIPAY_PUBLIC_KEY is the app's own key: set the key that Alipay shows for the app");
  return faults;
}

const derOf = (key: string): Buffer =>
  Buffer.from(key.replace(/-----[^-]+-----/g, '').replace(/\s/g, ''), 'base64');

const isPrivateKey = (key: string): boolean => privateKeyOf(key) !== null;
const isPublicKey = (key: string): boolean => publicKeyOf(key) !== null;

function privateKeyOf(key: string) {
  return firstReadable(
    (['pkcs8', 'pkcs1'] as const).map(
      (type) => () => createPrivateKey({ key: derOf(key), format: 'der', type }),
    ),
  );
}

function publicKeyOf(key: string) {
  return firstReadable([() => createPublicKey({ key: derOf(key), format: 'der', type: 'spki' })]);
}

function firstReadable<Key>(readers: readonly (() => Key)[]): Key | null {
  for (const read of readers) {
    try {
      return read();
    } catch {
      // The next form may fit the key.
    }
  }
  return null;
}

const textOf = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();

/** Whether the public key belongs to the private one. The two are easily mixed up, and no signature would then fit. */
function isOwnPublicKey(privateText: string | undefined, publicText: string | undefined): boolean {
  const own = privateText === undefined ? null : privateKeyOf(privateText);
  const other = publicText === undefined ? null : publicKeyOf(publicText);
  return own !== null && other !== null && textOf(createPublicKey(own)) === textOf(other);
}

/** Keys and addresses that production refuses, because it would credit payments that nobody made. */
function unreal(given: ProviderValues): string[] {
  const known = Object.entries(simulatorKeys) as [keyof typeof simulatorKeys, string][];
  const ofSimulators = known
    .filter(([name, key]) => given[name] === key && name !== 'STRIPE_SECRET_KEY')
    .map(([name]) => `${name} is the simulator's: production needs your own`);
  const isTestKey = /^.k_test_/.test(given.STRIPE_SECRET_KEY ?? '');
  const isWithoutSeller = given.ALIPAY_APP_ID !== undefined && given.ALIPAY_SELLER_ID === undefined;
  return [
    ...ofSimulators,
    ...(isTestKey
      ? ['STRIPE_SECRET_KEY is a test key, which moves no money: production needs a live key']
      : []),
    ...(isWithoutSeller
      ? ['ALIPAY_APP_ID needs ALIPAY_SELLER_ID in production: another seller of the app would be credited']
      : []),
    ...addresses.flatMap((name) => unrealAddress(name, given[name])),
  ];
}

const addresses = ['ALIBABA_CLOUD_ENDPOINT', 'ALIPAY_ENDPOINT', 'ALIPAY_GATEWAY', 'STRIPE_API_BASE'] as const;

// Hosts of this machine, and of Alipay's own sandbox (`alipaydev.com`).
const UNREAL = /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|\[::1\]|0\.0\.0\.0|.*\.alipaydev\.com)$/;

function unrealAddress(name: string, address: string | undefined): string[] {
  if (address === undefined) return [];
  const text = address.includes('://') ? address : `https://${address}`;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol === 'https:' && !UNREAL.test(url.hostname)) return [];
  return [`${name}: production needs the https address of the real provider, not ${address}`];
}
