import type { AccountSettings, Config, ProviderAccount } from '@replenish/runtime';
import type { Provider } from './contract/provider.js';

/** Every payment method that a client may name. */
export const paymentMethods = [
  'sandbox',
  'credit_card',
  'alipay',
  'wechat_pay',
  'bank_transfer',
  'balance',
  'fund_account',
] as const;
export type PaymentMethod = (typeof paymentMethods)[number];

/** The settings that providers are opened with. */
export type ProvidersConfig = Readonly<
  Pick<Config, 'SANDBOX_URL' | 'NODE_ENV' | 'PROVIDER_TIMEOUT_MS'> & {
    SANDBOX_WEBHOOK_SECRET?: string | undefined;
    /** The accounts of PROVIDERS_FILE. Their providers are not configured by the other settings. */
    providerAccounts?: readonly ProviderAccount[];
  } & CollectSettings &
    CloudSettings
>;

/** The settings of Alibaba Cloud. A number is read from text too. */
type CloudSettings = Partial<
  Record<
    | 'ALIBABA_CLOUD_ACCESS_KEY_ID'
    | 'ALIBABA_CLOUD_ACCESS_KEY_SECRET'
    | 'ALIBABA_CLOUD_SECURITY_TOKEN'
    | 'ALIBABA_CLOUD_SITE'
    | 'ALIBABA_CLOUD_ENDPOINT'
    | 'ALIBABA_CLOUD_RAIL'
    | 'ALIBABA_CLOUD_AGENCY_CALL'
    | 'ALIBABA_CLOUD_FUND_ACCOUNT_ID'
    | 'ALIBABA_CLOUD_RESUBMIT'
    | 'ALIBABA_CLOUD_REMARK_KEYS',
    string | undefined
  > &
    Record<'ALIBABA_CLOUD_VISIBILITY_DELAY_MS' | 'ALIBABA_CLOUD_SCANS', string | number | undefined>
>;

/** The settings of the providers that collect money, by the names of their ecosystems. */
type CollectSettings = Partial<
  Record<
    | 'STRIPE_SECRET_KEY'
    | 'STRIPE_WEBHOOK_SECRET'
    | 'STRIPE_API_BASE'
    | 'ALIPAY_APP_ID'
    | 'ALIPAY_PRIVATE_KEY'
    | 'ALIPAY_PUBLIC_KEY'
    | 'ALIPAY_ENDPOINT'
    | 'ALIPAY_GATEWAY'
    | 'ALIPAY_SELLER_ID',
    string | undefined
  >
>;

/** The settings of one account at a provider, and the way to read those again that are kept in files. */
export type AccountConfig = ProvidersConfig & Readonly<{ reread?: () => AccountSettings }>;

/** An entry of the provider registry. Each provider's folder exports one. */
export type ProviderDefinition = Readonly<{
  name: string;
  /** The payment methods that the provider serves. */
  methods: readonly PaymentMethod[];
  /** Whether the provider also serves the methods that no other configured provider serves. */
  isFallback?: boolean;
  /** Opens the provider. Null when it is not configured. @throws when its configuration is invalid */
  open(config: AccountConfig): Provider | null;
}>;
