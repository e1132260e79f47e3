import type { Config } from '@replenish/runtime';
import type { Provider } from './contract/provider.js';

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

/** The settings that providers are opened with. */
export type ProvidersConfig = Readonly<
  Pick<Config, 'SANDBOX_URL' | 'NODE_ENV' | 'PROVIDER_TIMEOUT_MS'> & {
    SANDBOX_WEBHOOK_SECRET?: string | undefined;
  }
>;

/** How a provider enters the registry. Its folder exports one. */
export type ProviderDefinition = Readonly<{
  name: string;
  /** The payment methods that it serves. */
  methods: readonly PaymentMethod[];
  /** Whether it serves the methods that no other configured provider serves. */
  isFallback?: boolean;
  /** Null where the configuration does not ask for it. @throws for a configuration that cannot be right */
  open(config: ProvidersConfig): Provider | null;
}>;
