import type { Config } from '@replenish/runtime';
import type { Provider } from './contract/provider.js';
import type { BreakerState } from './guard/breaker.js';
import { type GuardedProvider, type GuardOptions, guard, type ProviderOperation } from './guard/guard.js';
import { sandboxProvider } from './sandbox/provider.js';

/** Every payment method a producer may name. */
export const paymentMethods = [
  'sandbox',
  'credit_card',
  'alipay',
  'wechat_pay',
  'bank_transfer',
  'balance',
] as const;
export type PaymentMethod = (typeof paymentMethods)[number];

export type ProvidersConfig = Readonly<
  Pick<Config, 'SANDBOX_URL' | 'NODE_ENV' | 'PROVIDER_TIMEOUT_MS'> & {
    SANDBOX_WEBHOOK_SECRET?: string | undefined;
  }
>;

export type ProvidersOptions = Omit<GuardOptions, 'timeoutMs' | 'onBreaker' | 'onAnswersAgain'> &
  Readonly<{
    onBreaker?: (provider: string, operation: ProviderOperation, state: BreakerState) => void;
    onAnswersAgain?: (provider: string) => void;
  }>;

export interface Providers {
  readonly names: readonly string[];
  get(name: string): GuardedProvider | undefined;
  /** Without the guard: for webhooks, which call nobody. */
  raw(name: string): Provider | undefined;
  /** The provider that serves a payment method; null refuses it. */
  route(paymentMethod: string): string | null;
  close(): Promise<void>;
}

/** Which provider serves a method once it is configured. A provider's folder comes with its line here ... */
const servedBy: Readonly<Partial<Record<PaymentMethod, string>>> = { sandbox: 'sandbox' };

/** ... and its line here. The simulator moves no real money, so in production it counts as not configured. */
function configuredProviders(config: ProvidersConfig): Provider[] {
  if (config.NODE_ENV === 'production') return [];
  return [sandboxProvider({ baseUrl: config.SANDBOX_URL, webhookSecret: config.SANDBOX_WEBHOOK_SECRET })];
}

/** Opens every provider that is configured. @throws for a configuration that cannot be right. */
export function openProviders(config: ProvidersConfig, options: ProvidersOptions = {}): Providers {
  const raw = new Map(configuredProviders(config).map((provider) => [provider.name, provider]));
  const guarded = new Map<string, GuardedProvider>();
  const { onBreaker, onAnswersAgain, ...each } = options;
  for (const [name, provider] of raw) {
    const told: GuardOptions['onBreaker'] = (operation, state) => onBreaker?.(name, operation, state);
    const heard = () => onAnswersAgain?.(name);
    const timeoutMs = config.PROVIDER_TIMEOUT_MS;
    guarded.set(name, guard(provider, { ...each, onBreaker: told, onAnswersAgain: heard, timeoutMs }));
  }

  function route(paymentMethod: string): string | null {
    const method = paymentMethods.find((known) => known === paymentMethod);
    if (!method) return null;
    const name = servedBy[method];
    if (name && raw.has(name)) return name;
    return raw.has('sandbox') ? 'sandbox' : null;
  }

  return {
    names: [...raw.keys()],
    get: (name) => guarded.get(name),
    raw: (name) => raw.get(name),
    route,
    async close() {
      await Promise.all([...guarded.values()].map((provider) => provider.close()));
    },
  };
}
