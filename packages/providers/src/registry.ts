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
import { MAIN_ACCOUNT } from './guard/main-account.js';
import { sandbox } from './sandbox/provider.js';
import { stripe } from './stripe/provider.js';

/** Every provider of this release. To add one, add its folder and list its definition here. */
const definitions: readonly ProviderDefinition[] = [sandbox, stripe, alipay, alibabaCloud];

/** One of our accounts at a provider. */
type AccountName = Readonly<{ provider: string; account: string }>;

export type ProvidersOptions = Omit<GuardOptions, 'account' | 'timeoutMs' | 'onBreaker' | 'onAnswersAgain'> &
  Readonly<{
    onBreaker?: (
      of: AccountName,
      operation: ProviderOperation,
      state: BreakerState,
      openForMs: number,
    ) => void;
    onAnswersAgain?: (of: AccountName) => void;
  }>;

type ProviderRoute = Readonly<{ provider: string; providerAccount: string }>;

export interface Providers {
  readonly names: readonly string[];
  /** The names of our accounts at a provider. The first one is its default. Empty: the provider is not configured. */
  accounts(name: string): readonly string[];
  get(name: string, account: string): GuardedProvider | undefined;
  /** Every account of every provider. */
  all(): readonly GuardedProvider[];
  /** The account without the guard. Webhooks use it, because they make no calls. */
  raw(name: string, account: string): Provider | undefined;
  /** The provider that serves a payment method, with our default account there. Null when there is none. */
  route(paymentMethod: string): ProviderRoute | null;
  close(): Promise<void>;
}

type OpenedAccount = Readonly<{ raw: Provider; guarded: GuardedProvider }>;

/** Opens every configured account. @throws when a configuration is invalid */
export function openProviders(config: ProvidersConfig, options: ProvidersOptions = {}): Providers {
  const opened = new Map<string, Map<string, OpenedAccount>>();
  for (const definition of definitions) {
    const { name } = definition;
    const accounts = accountsOf(definition, config).map(({ account, raw }) => {
      const guarded = guard(raw, guardOptions({ provider: name, account }, config, options));
      return [account, { raw, guarded }] as const;
    });
    if (accounts.length > 0) opened.set(name, new Map(accounts));
  }
  const isOpen = new Set(opened.keys());
  const routes = new Map<string, ProviderRoute>();
  for (const method of paymentMethods) {
    const provider = method === OF_PAYEES ? null : routeOf(method, isOpen);
    if (provider === null) continue;
    const [providerAccount] = opened.get(provider)!.keys();
    routes.set(method, { provider, providerAccount: providerAccount! });
  }
  const all = [...opened.values()].flatMap((accounts) => [...accounts.values()]);
  return {
    names: [...opened.keys()],
    accounts: (name) => [...(opened.get(name)?.keys() ?? [])],
    get: (name, account) => opened.get(name)?.get(account)?.guarded,
    all: () => all.map(({ guarded }) => guarded),
    raw: (name, account) => opened.get(name)?.get(account)?.raw,
    route: (paymentMethod) => routes.get(paymentMethod) ?? null,
    async close() {
      await Promise.all(all.map(({ guarded }) => guarded.close()));
    },
  };
}

/** The accounts of a provider: those of the file, or else the one that the environment configures. */
function accountsOf(
  { name, open }: ProviderDefinition,
  config: ProvidersConfig,
): Readonly<{ account: string; raw: Provider }>[] {
  const ofFile = config.providerAccounts?.filter(({ provider }) => provider === name) ?? [];
  const configs =
    ofFile.length > 0
      ? ofFile.map(({ name: account, settings, reread }) => ({
          account,
          own: { ...config, ...settings, reread },
        }))
      : [{ account: MAIN_ACCOUNT, own: config }];
  return configs.flatMap(({ account, own }) => {
    const raw = open(own);
    return raw ? [{ account, raw }] : [];
  });
}

function guardOptions(of: AccountName, config: ProvidersConfig, options: ProvidersOptions): GuardOptions {
  const { onBreaker, onAnswersAgain, ...each } = options;
  return {
    ...each,
    account: of.account,
    timeoutMs: config.PROVIDER_TIMEOUT_MS,
    onBreaker: (operation, state, openForMs) => onBreaker?.(of, operation, state, openForMs),
    onAnswersAgain: () => onAnswersAgain?.(of),
  };
}

/** The payee of the account names the provider of this method, so the configuration has no route for it. */
const OF_PAYEES: PaymentMethod = 'fund_account';

function routeOf(paymentMethod: PaymentMethod, isOpen: ReadonlySet<string>): string | null {
  const open = definitions.filter(({ name }) => isOpen.has(name));
  const serving = open.find(({ methods }) => methods.includes(paymentMethod));
  return (serving ?? open.find(({ isFallback }) => isFallback))?.name ?? null;
}
