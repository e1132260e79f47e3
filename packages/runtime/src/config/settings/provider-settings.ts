import { z } from 'zod';
import { milliseconds } from '../numbers.js';

/** Secrets of webhooks. While one is rotated, the old and the new one are both in the list. */
const webhookSecrets = z
  .string()
  .regex(/^whsec_[^\s,]+([\s,]+whsec_[^\s,]+)*$/, 'is not whsec_..., or several of them separated by commas');

/**
 * The settings of the real providers, by the names of their ecosystems. A provider is configured by its keys alone.
 * Outside production, one without keys is called at its simulator.
 */
export const providerSettings = {
  ALIBABA_CLOUD_ACCESS_KEY_ID: z.string().optional(),
  ALIBABA_CLOUD_ACCESS_KEY_SECRET: z.string().optional(),
  /** The token of temporary keys (STS). */
  ALIBABA_CLOUD_SECURITY_TOKEN: z.string().optional(),
  /** The site decides the endpoint and the currency. */
  ALIBABA_CLOUD_SITE: z.enum(['china', 'international']).default('china'),
  /** Host, or URL. Unset: the endpoint of the site. */
  ALIBABA_CLOUD_ENDPOINT: z.string().optional(),
  ALIBABA_CLOUD_RAIL: z.enum(['fund_account', 'reseller_quota', 'agency']).default('fund_account'),
  /** The call of the rail `agency`. */
  ALIBABA_CLOUD_AGENCY_CALL: z.enum(['deduct', 'credit_line']).default('deduct'),
  /** The fund account that pays where a payee names none. */
  ALIBABA_CLOUD_FUND_ACCOUNT_ID: z.string().optional(),
  /** The time after which the transaction list certainly shows a transfer. */
  ALIBABA_CLOUD_VISIBILITY_DELAY_MS: milliseconds(0, 86_400_000).optional(),
  /** Scans of the list that must find nothing before an order counts as absent. */
  ALIBABA_CLOUD_SCANS: z.coerce.number().int().min(1).max(20).optional(),
  /** Who sends an order again if its absence is proven. */
  ALIBABA_CLOUD_RESUBMIT: z.enum(['person', 'auto']).default('person'),
  /**
   * The keys that prove the remarks of transfers, newest first, separated by commas. Unset: one is derived from the access
   * key.
   */
  ALIBABA_CLOUD_REMARK_KEYS: z.string().min(16).optional(),
  ALIPAY_APP_ID: z.string().optional(),
  /** The app's private key: PEM or bare base64, PKCS#8 or PKCS#1. */
  ALIPAY_PRIVATE_KEY: z.string().optional(),
  /** Alipay's public key, and not the app's. While it changes, the old and the new one, separated by a comma. */
  ALIPAY_PUBLIC_KEY: z.string().optional(),
  /** The host of version 3, without a path. */
  ALIPAY_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  /** The address of version 2, which serves the pay page. */
  ALIPAY_GATEWAY: z.url({ protocol: /^https?$/ }).optional(),
  /** Our number as a seller. Notifications for another seller are not credited. */
  ALIPAY_SELLER_ID: z.string().optional(),
  STRIPE_SECRET_KEY: z
    .string()
    .regex(/^[sr]k_(test|live)_\S+$/, 'is no secret or restricted key of Stripe')
    .optional(),
  STRIPE_WEBHOOK_SECRET: webhookSecrets.optional(),
  STRIPE_API_BASE: z.url({ protocol: /^https?$/ }).optional(),
} as const;
