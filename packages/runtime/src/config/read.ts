import { z } from 'zod';
import { faultsOfAddress } from '../postgres/address.js';
import { type ProviderAccount, readAccounts, withoutThose } from './accounts/accounts.js';
import { addressesFor } from './addresses.js';
import { conflictsOf, QUERY_MARGIN_MS } from './conflicts.js';
import { type Env, localDefaults } from './local.js';
import { milliseconds } from './numbers.js';
import { providerFaults } from './provider-faults.js';
import { callbackFaults, callbackSettings } from './settings/callback-settings.js';
import { ingressSettings } from './settings/ingress-settings.js';
import { noticeFaults, noticeSettings } from './settings/notice-settings.js';
import { peopleFaults, peopleSettings } from './settings/people-settings.js';
import { providerSettings } from './settings/provider-settings.js';
import { ruleSettings, ruleTimes } from './settings/rule-settings.js';
import { traceSettings } from './settings/trace-settings.js';
import { simulatorsFor } from './simulators.js';
import { findUnknown, type UnknownVariable } from './unknown.js';

const port = z.coerce.number().int().min(0).max(65_535);

// The form of master keys that the vault reads. It is checked here too, so that a bad key is reported with the other
// faults of the configuration.
export const MASTER_KEYS_FORM = /^\s*[\w-]{1,32}:[A-Za-z0-9+/]{43}=(\s+[\w-]{1,32}:[A-Za-z0-9+/]{43}=)*\s*$/;

/** An address with one host must be a URL. Addresses with several hosts are parsed by packages/queues. */
function isRedisAddress(text: string): boolean {
  if (/^rediss?-(sentinel|cluster):\/\/[^\s/]/.test(text)) return true;
  return /^rediss?:\/\//.test(text) && URL.canParse(text);
}

/**
 * Every setting of every process, with its unit, its default and the reason for the default. A test compares this
 * object with `docs/configuration.md`.
 */
export const settings = {
  /** `production` refuses demo secrets, unconfigured providers and an open dashboard. */
  NODE_ENV: z.enum(['development', 'test', 'production']).default('development'),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  /** Address of Postgres. Unset: the embedded one, found through `.replenish/`. */
  DATABASE_URL: z
    .string()
    .superRefine((address, context) => {
      for (const message of faultsOfAddress(address)) context.addIssue({ code: 'custom', message });
    })
    .optional(),
  /** The database role of the processes. `migrate` runs as the owner of the tables and grants this role its rights. */
  DATABASE_APP_ROLE: z
    .string()
    .regex(/^[^\0"]{1,63}$/, 'is no name of a role')
    .optional(),
  /** A database role of finance and its tools. `migrate` lets it read the views of schema `report` and nothing else. */
  DATABASE_REPORT_ROLE: z
    .string()
    .regex(/^[^\0"]{1,63}$/, 'is no name of a role')
    .optional(),
  /**
   * `serve` keeps a process ready when the schema is newer than its release, as in a rolling deploy. The default is
   * `refuse`: an old process that was left running would otherwise work on tables that it does not know.
   */
  DATABASE_NEWER_SCHEMA: z.enum(['refuse', 'serve']).default('refuse'),
  /**
   * Connections of one process for writes. Three more are for reads. In a measurement, more than 16 connections per
   * pair of cores made multi-row statements slower.
   */
  DATABASE_POOL_MAX: z.coerce.number().int().min(2).max(100).default(8),
  /**
   * Redis or Valkey for BullMQ: one server, or several sentinels or cluster nodes, in the forms of
   * docs/configuration.md. Unset: BullMQ on Postgres, which is enough for about 100 recharges per second.
   */
  REDIS_URL: z
    .string()
    .refine(isRedisAddress, 'is no address of Redis: see docs/configuration.md')
    .optional(),
  /**
   * Prefix of the Redis keys of queues and rate limits. Unset: a name made from the identity of the database, so that
   * two installations can share one Redis without an agreement.
   */
  QUEUE_PREFIX: z
    .string()
    .regex(/^[\w.-]{1,64}$/, 'is not 1 to 64 letters, digits and . _ -')
    .optional(),
  INGRESS_HOST: z.string().default('127.0.0.1'),
  INGRESS_PORT: port.default(8080),
  DASHBOARD_HOST: z.string().default('127.0.0.1'),
  DASHBOARD_PORT: port.default(8081),
  SANDBOX_HOST: z.string().default('127.0.0.1'),
  SANDBOX_PORT: port.default(8090),
  /** Ports of the simulated providers. Unset: the three ports after the sandbox's. */
  SANDBOX_ALIBABA_PORT: port.optional(),
  SANDBOX_ALIPAY_PORT: port.optional(),
  SANDBOX_STRIPE_PORT: port.optional(),
  /** Names of further accounts of the simulated Stripe, separated by commas. */
  SANDBOX_STRIPE_ACCOUNTS: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,31}(,[a-z][a-z0-9-]{0,31})*$/, 'is no list of names such as eu,us')
    .optional(),
  /** Address of the sandbox provider. Unset: the local one on SANDBOX_PORT. */
  SANDBOX_URL: z.url().optional(),
  /** Folder of the sandbox's own store. */
  SANDBOX_DATA_DIR: z.string().optional(),
  /** Shared secret of the sandbox's signed webhooks (Standard Webhooks form). */
  SANDBOX_WEBHOOK_SECRET: z.string().startsWith('whsec_').optional(),
  ...providerSettings,
  /** A file with several accounts per provider (YAML). A provider that it names is configured by it alone. */
  PROVIDERS_FILE: z.string().optional(),
  /** The address at which providers reach the ingress. Every notify URL begins with it. */
  PUBLIC_URL: z
    .url()
    .transform((url) => url.replace(/\/+$/, ''))
    .optional(),
  /** First port of a range for metrics. Each kind of process has its place in the range: see `metricsOffset`. */
  METRICS_PORT: port.default(9464),
  METRICS_HOST: z.string().default('127.0.0.1'),
  ...callbackSettings,
  ...noticeSettings,
  /** Time between two sweeps for due rows. */
  RECONCILE_PERIOD_MS: milliseconds(100, 3_600_000).optional(),
  /** The time without news about a recharge after which the reconciliation queries its provider. */
  RECONCILE_AFTER_MS: milliseconds(100, 86_400_000).optional(),
  /** Time limit of one provider call. */
  PROVIDER_TIMEOUT_MS: milliseconds(100, 120_000).optional(),
  ...ruleSettings,
  ...peopleSettings,
  /** Maximum of calls in flight to one provider, per worker process. */
  PROVIDER_CONCURRENCY: z.coerce.number().int().min(1).max(1_000).default(32),
  /** `daily`: the statement of each day is compared with the books, per provider that has one. */
  STATEMENTS: z.enum(['daily', 'off']).default('daily'),
  /** How long a day (UTC) is over before its statements are compared. Providers show their last lines late. */
  STATEMENTS_AFTER_MS: milliseconds(0, 86_400_000).default(7_200_000),
  /**
   * Days until the bodies of processed webhooks are deleted. They are needed for disputes with a provider, which can
   * last a year.
   */
  WEBHOOK_BODIES_KEPT_DAYS: z.coerce.number().int().min(1).max(36_500).default(400),
  /** Days until security events are deleted. */
  SECURITY_EVENTS_KEPT_DAYS: z.coerce.number().int().min(1).max(36_500).default(400),
  /**
   * Keys that encrypt the secrets of API keys at rest: `<id>:<base64 of 32 bytes>`, separated by spaces. The first one
   * encrypts new secrets.
   */
  MASTER_KEYS: z.string().regex(MASTER_KEYS_FORM, 'is not <id>:<base64 of 32 bytes>, ...').optional(),
  /** A file with the text of MASTER_KEYS. If both are set, the file is used. */
  MASTER_KEY_FILE: z.string().optional(),
  /** Addresses and networks of the proxies whose X-Forwarded-For is trusted, separated by commas. Unset: no proxy. */
  TRUST_PROXY: z
    .string()
    .regex(/^[\da-f.:/, ]+$/i, 'is no list of addresses and networks')
    .optional(),
  /** The `iss` of OAuth 2 access tokens. Unset: access tokens are refused. */
  OAUTH_ISSUER: z.string().optional(),
  /** The `aud` that an access token must contain. */
  OAUTH_AUDIENCE: z.string().optional(),
  /** The URL where the issuer publishes its public keys. */
  OAUTH_JWKS_URL: z.url({ protocol: /^https?$/ }).optional(),
  /** Requests that one client may make per minute. 0: no limit. Unset: 6,000 in production, and no limit elsewhere. */
  RATE_LIMIT_PER_MINUTE: z.coerce.number().int().min(0).optional(),
  /** Recharges that all clients together may request for one account per minute. */
  RATE_LIMIT_PER_ACCOUNT_PER_MINUTE: z.coerce.number().int().min(1).optional(),
  ...ingressSettings,
  ...traceSettings,
} as const;

/** A setting is missing or wrong. A restart cannot fix that, so the process ends with exit code 78. */
export class BadConfiguration extends Error {
  override readonly name = 'BadConfiguration';

  constructor(message: string) {
    super(message);
    // The operator reads this message in the log. A stack trace would point at code that is not at fault.
    delete this.stack;
  }
}

const Settings = z.object(settings);
type ParsedSettings = z.infer<typeof Settings>;

export type Config = Readonly<
  ParsedSettings &
    ReturnType<typeof ruleTimes> & {
      RECONCILE_PERIOD_MS: number;
      RECONCILE_AFTER_MS: number;
      PROVIDER_TIMEOUT_MS: number;
      PUBLIC_URL: string;
      CONSOLE_URL: string;
      SANDBOX_URL: string;
      SANDBOX_ALIBABA_PORT: number;
      SANDBOX_ALIPAY_PORT: number;
      SANDBOX_STRIPE_PORT: number;
      /** The accounts of PROVIDERS_FILE. The other providers are configured by the settings above. */
      providerAccounts: readonly ProviderAccount[];
    }
>;

/**
 * Defaults of RECONCILE_PERIOD_MS, RECONCILE_AFTER_MS and PROVIDER_TIMEOUT_MS. Production waits minutes: orders of
 * Alibaba Cloud may take that long, and earlier queries only use up the provider's quota. On a developer machine the
 * times are seconds, so that a person can watch the recovery.
 */
const waits = {
  production: { RECONCILE_PERIOD_MS: 15_000, RECONCILE_AFTER_MS: 120_000, PROVIDER_TIMEOUT_MS: 20_000 },
  local: { RECONCILE_PERIOD_MS: 1_000, RECONCILE_AFTER_MS: 2_000, PROVIDER_TIMEOUT_MS: 2_000 },
} as const;

// A hundred requests per second are more than a client of ours needs, and far less than one ingress takes.
const PRODUCTION_RATE_LIMIT = 6_000;

/** Reads the whole configuration. @throws BadConfiguration that names every fault */
export function readConfig(env: Env): Config {
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const isProduction = given.NODE_ENV === 'production';
  const parsed = Settings.safeParse({ ...(isProduction ? {} : localDefaults(env)), ...given });
  const { accounts, faults: faultsOfAccounts } = readAccounts(given.PROVIDERS_FILE, env, isProduction);
  const read = withoutThose(accounts, parsed.success ? parsed.data : readableOf(given));
  const limited = isProduction ? { RATE_LIMIT_PER_MINUTE: PRODUCTION_RATE_LIMIT } : {};
  const timed = {
    ...limited,
    ...waitsFor(isProduction, read),
    ...ruleTimes(isProduction),
    ...stripUndefined(read),
  };
  const placed = { ...addressesFor(read), ...timed };
  const conflicts = conflictsOf(placed, { isProduction, isGiven: (name) => given[name] !== undefined });
  const invalid = parsed.success ? [] : [z.prettifyError(parsed.error)];
  const faults = [
    ...invalid,
    ...conflicts,
    ...providerFaults(read, isProduction),
    ...faultsOfAccounts,
    ...callbackFaults(read, isProduction),
    ...noticeFaults(read, isProduction),
    ...peopleFaults(read, isProduction),
  ];
  if (faults.length > 0) throw new BadConfiguration(`bad configuration\n${faults.join('\n')}`);
  const config = { ...placed, providerAccounts: accounts } as Config;
  const simulators = isProduction ? {} : withoutThose(accounts, simulatorsFor(read, config));
  return Object.freeze({ ...config, ...simulators });
}

/** The defaults of the three times. A longer time limit of a call makes the default of RECONCILE_AFTER_MS longer. */
function waitsFor(isProduction: boolean, { PROVIDER_TIMEOUT_MS: timeoutMs = 0 }: Partial<ParsedSettings>) {
  const defaults = waits[isProduction ? 'production' : 'local'];
  const margin = isProduction ? QUERY_MARGIN_MS : 0;
  return { ...defaults, RECONCILE_AFTER_MS: Math.max(defaults.RECONCILE_AFTER_MS, timeoutMs + margin) };
}

/**
 * The settings that are valid on their own. So contradictions among them are reported together with the invalid
 * settings.
 */
const readableOf = (given: Readonly<Record<string, unknown>>): Partial<ParsedSettings> =>
  Object.fromEntries(
    Object.entries(settings).flatMap(([name, setting]) => {
      const { success, data } = setting.safeParse(given[name]);
      return success ? [[name, data]] : [];
    }),
  );

// Variables that other code reads: the launcher, or the code that finds the local state.
const ELSEWHERE = ['REPLENISH_DIR'];

/** Variables that look like settings but are not. */
export const unknownSettings = (env: Env): UnknownVariable[] =>
  findUnknown(Object.keys(env), [...Object.keys(settings), ...ELSEWHERE]);

/**
 * Runs all readers and returns their values. All faults are reported together, so that the operator can fix them in one
 * go.
 * @throws BadConfiguration with the faults of all readers
 */
export function readTogether<Values extends readonly unknown[]>(
  ...readers: { readonly [At in keyof Values]: () => Values[At] }
): Values {
  const faults: string[] = [];
  const read = readers.map((reader: () => unknown) => {
    try {
      return reader();
    } catch (error) {
      if (!(error instanceof BadConfiguration)) throw error;
      faults.push(error.message);
      return undefined;
    }
  });
  if (faults.length > 0) throw new BadConfiguration(faults.join('\n'));
  return read as unknown as Values;
}

const stripUndefined = <T extends object>(value: T): Partial<T> =>
  Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as Partial<T>;
