const joined = (...parts: readonly string[]): string => parts.join('');

/**
 * The keys of the simulated accounts. They are the same on every machine, so a process that is started alone reaches the
 * simulators without any setting. They are worth nothing elsewhere, and production refuses them. The private key of the
 * simulated Alipay is in the sandbox only.
 */
export const simulatorKeys = {
  ALIBABA_CLOUD_ACCESS_KEY_ID: 'LTAI-replenish-simulator',
  ALIBABA_CLOUD_ACCESS_KEY_SECRET: 'simulator-secret-worth-nothing-elsewhere',
  ALIBABA_CLOUD_FUND_ACCOUNT_ID: 'fa-main',
  ALIPAY_APP_ID: '2021000000000001',
  ALIPAY_SELLER_ID: '2088000000000009',
  ALIPAY_PRIVATE_KEY: joined(
    'MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQC95LP0OZDifiq157eIsPu7V4aZcziS1/7PiBhRsgY4nbzA',
    'EimulAJo/4Az52iEsT5ofYmIguvwPwrwSFYNGLQDHrHV+S0mSHnVDqm353FMLNccwtop9L/0wAETUdQYMZyhrDM5BUHYKohc',
    'Y8km8tBuYAfs8wE26AsR3LZ4qyYcnKDlesR1LFoi2q8Us976NteLcX8iVEl4vlgVGJc/ertkhAo+1hOiTz4ScmWCiHhxv8I9',
    'iOrEEh3qRRbhEQkl4F4OfhGlQQwseG5mblCz4XSeY4vUebrnozozi5EuJdsVJP5hy/cbCdHfklGODGRJFI69l4PtRZxfbI3X',
    'Nsydl37bAgMBAAECggEAAm8T/2Vdfgmv8nTt3Uqnb1dH2l+nsfoiwfY0mZd2jPM4oB2beylafo4HzqKArHK5Ig253Y4QCBxG',
    'v52tvK08YW3bSarP8VWsehaeBkVpJljMyQmWUkNY0oJDgUPjPAwmvcu/PFPc7DBfXw/IXD9wfHmuoFLdCR8gRTJXBGTtMCCs',
    'JWztWVyBGxsysGHwQ00d/nXpuTXbfPYVBfPp1p093r9LuHaFybEMxAEyLTw2xszbNpvvTT7x+mXWV3mSgQZrRl5ECucaW35j',
    'RE/7DzUZU3giAarvH+Z0nLo2GcbTOOBHb5vUygqaF4w+rn7WWOl8lHTyALNNdsZGlJZUBR8SwQKBgQDq9CZ3ftB+/et6RpV5',
    'z36swafr4jtg8NJprV3UBegfGeL8VVShLD1OFtFD7bXjdXg4KT79r0kgDTEpBHrsxTl5wLQ7kjskuY5OQSD0I8C/XJzp27B9',
    'SB4zUWpCkJvoZqLqH0c8dcSKq55pUrMuE0iL5ZFNUc1Cl2m5ourEkgObrwKBgQDO5z/zRkBI+izUoNKeFZMzc0Nsgg25WR6G',
    'xoegUjvpGEr4CvSSF1asnSo4AJbYVWG+qUWvxNy7oC6F17yEbI+jdFQSq6oXa1+IKTBLvmdADiGcjAETT8zLZiVSRrRPa5zN',
    'ltspAhqSIPRyXjzqtKDjxn4mQhTyv46bQW36za6+lQKBgQCWmsPhiwdor6j2qzH7b9b6M/RIjq6TOCsYFEn1s4eUEArgxm3G',
    'Fk6BtLyVN1WFJPJXxZCcGnTcN7iQW0/UX6O0+KJPITAKHWsrnDHcbOKLh3kJqonZ9JVvPbvISVu2v7ukKUKHbdH7NYEIcDts',
    'yG2TRyc5kbrp+ZaKqPSl5har/wKBgQCYYZIkzomL9czMsMFNsmAeVXbD1Kjc6DjmVBMRTV9YVg7ozdDAQ7YPHRU5950hKQj7',
    'DdoIEPnsqZV596Cc+wNzA7rjoVB9PRQ3yPYL4uhSMdYpYKduHKic6Nb12KL1lzD97WvtsOH225SNIsDEr1GLT+YasTKScehK',
    'ig7A13kqXQKBgEP8WdHT9GH82Wzd2GKs4IFqBi/2SrASXaX6IdXdKKOwZ7PLY1xCvOQmqDwTClvwptlHL3OkujKWduX5tb2Z',
    '40l/6YO+14TGv2BV28jgSMgW7dxNhzc27j8rFtmpq/3+uGPjRMCY4P/pSiZXI5UqD435jmI8XsERF1Q1NQG75RmQ',
  ),
  ALIPAY_PUBLIC_KEY: joined(
    'MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAuqIROseMvKjPaPBu6TiUIEsmH9uI8Rfr6hC+ok95PpBsbq2XWVCX',
    'lF7Ay1sJFOUL0BLNjTHqD77OKXHqKcUFKxqUIFsKP2k0VntOB0vKeEZSE5RhOga0goP5z42yqEtNeH5aD31gwNTPdFOxCwwH',
    'oxoGPxyyUCN98765nfg90EZ72r9seiWv7dyta1sf89SvdoJo+hyB/BLOAqgzQy9lUp6pNOY5qGyIdAIsiHW+1TkmF5KP3EXs',
    'bxeg9xB9m2/2A6WCcbQ7rWxl0HQCjYnHaeuHqRjKueq0dLbm37cRD4zoz7RtwMSLuPhQPNM9R0uHUiPkSJ3ADleIar3GH0Gh',
    'XQIDAQAB',
  ),
  STRIPE_SECRET_KEY: 'sk_test_simulator',
} as const;

/** The settings by which the parts of the simulator are found. */
type SimulatorAddresses = Readonly<{
  SANDBOX_URL: string;
  SANDBOX_ALIBABA_PORT: number;
  SANDBOX_ALIPAY_PORT: number;
  SANDBOX_STRIPE_PORT: number;
}>;

/** The settings that configure the providers, as given. A missing one is not set. */
export type ProviderValues = {
  readonly [Name in
    | keyof typeof simulatorKeys
    | 'ALIBABA_CLOUD_ENDPOINT'
    | 'ALIPAY_ENDPOINT'
    | 'ALIPAY_GATEWAY'
    | 'STRIPE_WEBHOOK_SECRET'
    | 'STRIPE_API_BASE'
    | 'SANDBOX_WEBHOOK_SECRET']?: string | undefined;
};

type ProofTime = Readonly<{ ALIBABA_CLOUD_VISIBILITY_DELAY_MS?: number | undefined }>;

// The simulated list shows a transfer after 0.3 s, unless a fault delays it.
const SIMULATED_VISIBILITY_DELAY_MS = 3_000;

/**
 * The settings with which each provider without keys of its own is called at its simulator. An address that is set is
 * kept. The events of the simulated Stripe are signed with the sandbox's secret.
 */
export function simulatorsFor(
  given: ProviderValues & ProofTime,
  addresses: SimulatorAddresses,
): ProviderValues & ProofTime {
  const { ALIBABA_CLOUD_ACCESS_KEY_ID, ALIPAY_APP_ID, STRIPE_SECRET_KEY, ...alipay } = simulatorKeys;
  const { ALIBABA_CLOUD_ACCESS_KEY_SECRET, ALIBABA_CLOUD_FUND_ACCOUNT_ID, ...alipayKeys } = alipay;
  const at = (port: number) => addressOn(addresses.SANDBOX_URL, port);
  const alipayUrl = at(addresses.SANDBOX_ALIPAY_PORT);
  return {
    ...(given.ALIBABA_CLOUD_ACCESS_KEY_ID === undefined && {
      ...{ ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_ACCESS_KEY_SECRET },
      ALIBABA_CLOUD_FUND_ACCOUNT_ID: given.ALIBABA_CLOUD_FUND_ACCOUNT_ID ?? ALIBABA_CLOUD_FUND_ACCOUNT_ID,
      ALIBABA_CLOUD_ENDPOINT: given.ALIBABA_CLOUD_ENDPOINT ?? at(addresses.SANDBOX_ALIBABA_PORT),
      ALIBABA_CLOUD_VISIBILITY_DELAY_MS:
        given.ALIBABA_CLOUD_VISIBILITY_DELAY_MS ?? SIMULATED_VISIBILITY_DELAY_MS,
    }),
    ...(given.ALIPAY_APP_ID === undefined && {
      ...{ ALIPAY_APP_ID, ...alipayKeys },
      ALIPAY_ENDPOINT: given.ALIPAY_ENDPOINT ?? alipayUrl,
      ALIPAY_GATEWAY: given.ALIPAY_GATEWAY ?? `${alipayUrl}/gateway.do`,
    }),
    ...(given.STRIPE_SECRET_KEY === undefined && {
      STRIPE_SECRET_KEY,
      STRIPE_WEBHOOK_SECRET: given.SANDBOX_WEBHOOK_SECRET,
      STRIPE_API_BASE: given.STRIPE_API_BASE ?? at(addresses.SANDBOX_STRIPE_PORT),
    }),
  };
}

/** The address of another port on the host of `base`. */
function addressOn(base: string, port: number): string {
  const url = new URL(base);
  url.port = String(port);
  return url.origin;
}
