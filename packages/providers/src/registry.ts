import { alibabaCloud } from './alibaba-cloud/provider.js';
import { alipay } from './alipay/provider.js';
import type { Provider } from './contract/provider.js';
import {
  type PaymentMethod,
  type ProviderDefinition,
  type ProvidersConfig,
  paymentMethods,
} from './definition.js';
import type { ProviderOperation } from './guard/attempt.js';
import type { BreakerState } from './guard/breaker.js';
import { type GuardOptions, guard } from './guard/guard.js';
import type { GuardedProvider } from './guard/guarded-provider.js';
import { sandbox } from './sandbox/provider.js';
import { stripe } from './stripe/provider.js';

/** Every provider of this release. To add one, add its folder and list its definition here. */
const definitions: readonly ProviderDefinition[] = [sandbox, stripe, alipay, alibabaCloud];

export type ProvidersOptions = Omit<GuardOptions, 'timeoutMs' | 'onBreaker' | 'onAnswersAgain'> &
  Readonly<{
    onBreaker?: (
      provider: string,
      operation: ProviderOperation,
      state: BreakerState,
      openForMs: number,
    ) => void;
    onAnswersAgain?: (provider: string) => void;
  }>;

export interface Providers {
  readonly names: readonly string[];
  get(name: string): GuardedProvider | undefined;
  /** The provider without the guard. Webhooks use it, because they make no calls. */
  raw(name: string): Provider | undefined;
  /** The name of the provider that serves a payment method. Null when there is none. */
  route(paymentMethod: string): string | null;
  close(): Promise<void>;
}

/** Opens every configured provider. @throws when a configuration is invalid */
export function openProviders(config: ProvidersConfig, options: ProvidersOptions = {}): Providers {
  const { onBreaker, onAnswersAgain, ...each } = options;
  const raw = new Map<string, Provider>();
  const guarded = new Map<string, GuardedProvider>();
  for (const { name, open } of definitions) {
    const provider = open(config);
    if (!provider) continue;
    raw.set(name, provider);
    const own: GuardOptions = {
      ...each,
      timeoutMs: config.PROVIDER_TIMEOUT_MS,
      onBreaker: (operation, state, openForMs) => onBreaker?.(name, operation, state, openForMs),
      onAnswersAgain: () => onAnswersAgain?.(name),
    };
    guarded.set(name, guard(provider, own));
  }
  const isOpen = new Set(raw.keys());
  const routes = new Map<string, string | null>(
    paymentMethods
      .filter((method) => method !== OF_PAYEES)
      .map((method) => [method, routeOf(method, isOpen)]),
  );
  return {
    names: [...raw.keys()],
    get: (name) => guarded.get(name),
    raw: (name) => raw.get(name),
    route: (paymentMethod) => routes.get(paymentMethod) ?? null,
    async close() {
      await Promise.all([...guarded.values()].map((provider) => provider.close()));
    },
  };
}

/** The payee of the account names the provider of this method, so no configuration routes it. */
const OF_PAYEES: PaymentMethod = 'fund_account';

function routeOf(paymentMethod: PaymentMethod, isOpen: ReadonlySet<string>): string | null {
  const open = definitions.filter(({ name }) => isOpen.has(name));
  const serving = open.find(({ methods }) => methods.includes(paymentMethod));
  return (serving ?? open.find(({ isFallback }) => isFallback))?.name ?? null;
}
