import { z } from 'zod';
import { faultsOfAddress } from '../postgres/address.js';
import { conflictsOf, QUERY_MARGIN_MS } from './conflicts.js';
import { type Env, localDefaults } from './local.js';
import { type Unheard, unheardOf } from './unheard.js';

const port = z.coerce.number().int().min(0).max(65_535);
const milliseconds = (min: number, max: number) => z.coerce.number().int().min(min).max(max);

// As the vault reads them; here so that a bad one is a fault of the configuration, named with the others.
export const MASTER_KEYS_FORM = /^\s*[\w-]{1,32}:[A-Za-z0-9+/]{43}=(\s+[\w-]{1,32}:[A-Za-z0-9+/]{43}=)*\s*$/;

/** One host is a URL; the forms with several hosts are read whole by the queues. */
function isRedisAddress(text: string): boolean {
  if (/^rediss?-(sentinel|cluster):\/\/[^\s/]/.test(text)) return true;
  return /^rediss?:\/\//.test(text) && URL.canParse(text);
}

/**
 * Every setting of every process, in one place: name, unit, default, and why that default.
 * `docs/configuration.md` is checked against this object.
 */
export const settings = {
  /** `production` refuses demo secrets, unconfigured providers and an open dashboard. */
  NODE_ENV: z.enum(['development', 'test', 'production']).default('development'),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  /** Postgres. Unset: the embedded one, found through `.replenish/`. */
  DATABASE_URL: z
    .string()
    .superRefine((address, context) => {
      for (const message of faultsOfAddress(address)) context.addIssue({ code: 'custom', message });
    })
    .optional(),
  /** Role of the processes, to which `migrate`, as the owner of the tables, gives the rights that they need. */
  DATABASE_APP_ROLE: z
    .string()
    .regex(/^[^\0"]{1,63}$/, 'is no name of a role')
    .optional(),
  /**
   * `serve` keeps a process ready on a schema that is newer than its release, in a rolling deploy. Otherwise an old
   * process that was left behind would work on books that it does not know.
   */
  DATABASE_NEWER_SCHEMA: z.enum(['refuse', 'serve']).default('refuse'),
  /**
   * Connections of one process for what moves money; three more are for reads. More than 16 per pair of cores made
   * multi-row work slower when measured.
   */
  DATABASE_POOL_MAX: z.coerce.number().int().min(2).max(100).default(8),
  /**
   * Redis or Valkey for BullMQ: one server, or the sentinels or the nodes of several, in the forms of
   * docs/configuration.md. Unset: BullMQ on Postgres, fit for some 100 recharges a second.
   */
  REDIS_URL: z
    .string()
    .refine(isRedisAddress, 'is no address of Redis: see docs/configuration.md')
    .optional(),
  /**
   * What the keys of queues and rate limits begin with in Redis. Unset: a name made from the identity of the database,
   * so that two installations may share a Redis without a word.
   */
  QUEUE_PREFIX: z
    .string()
    .regex(/^[\w.-]{1,64}$/, 'is not 1 to 64 letters, digits and . _ -')
    .optional(),
  INGRESS_HOST: z.string().default('127.0.0.1'),
  INGRESS_PORT: port.default(8080),
  DASHBOARD_HOST: z.string().default('127.0.0.1'),
  DASHBOARD_PORT: port.default(8081),
  /** scrypt hash of the dashboard's password, as `replenish dashboard-password` prints it. */
  DASHBOARD_PASSWORD_HASH: z.string().startsWith('scrypt$').optional(),
  SANDBOX_HOST: z.string().default('127.0.0.1'),
  SANDBOX_PORT: port.default(8090),
  /** Where the fleet finds the sandbox provider. Unset: the local one on SANDBOX_PORT. */
  SANDBOX_URL: z.url().optional(),
  /** Folder of the sandbox's own store. */
  SANDBOX_DATA_DIR: z.string().optional(),
  /** Shared secret of the sandbox's signed webhooks (Standard Webhooks form). */
  SANDBOX_WEBHOOK_SECRET: z.string().startsWith('whsec_').optional(),
  /** The address under which providers reach the ingress: the base of every notify URL, which begins with the slash. */
  PUBLIC_URL: z
    .url()
    .transform((url) => url.replace(/\/+$/, ''))
    .optional(),
  /** First of a run of ports, one a process; see `metricsOffset`. */
  METRICS_PORT: port.default(9464),
  METRICS_HOST: z.string().default('127.0.0.1'),
  /** How often the sweeper looks for due rows. */
  RECONCILE_PERIOD_MS: milliseconds(100, 3_600_000).optional(),
  /** How long a provider may be silent before it is asked. */
  RECONCILE_AFTER_MS: milliseconds(100, 86_400_000).optional(),
  /** Limit of one provider call. */
  PROVIDER_TIMEOUT_MS: milliseconds(100, 120_000).optional(),
  /** Calls in flight to one provider, per worker process. */
  PROVIDER_CONCURRENCY: z.coerce.number().int().min(1).max(1_000).default(32),
  /** Days that the bodies of processed webhooks are kept; a provider's dispute may need them for a year. */
  WEBHOOK_BODIES_KEPT_DAYS: z.coerce.number().int().min(1).max(36_500).default(400),
  /** Days that security events are kept. */
  SECURITY_EVENTS_KEPT_DAYS: z.coerce.number().int().min(1).max(36_500).default(400),
  /** Seal the secrets of API keys at rest: `<id>:<base64 of 32 bytes>`, several separated by spaces, the first seals. */
  MASTER_KEYS: z.string().regex(MASTER_KEYS_FORM, 'is not <id>:<base64 of 32 bytes>, ...').optional(),
  /** A file with the same text. It is taken before MASTER_KEYS. */
  MASTER_KEY_FILE: z.string().optional(),
  /** Addresses and networks of proxies, separated by commas, whose X-Forwarded-For is believed. Unset: nobody's. */
  TRUST_PROXY: z
    .string()
    .regex(/^[\da-f.:/, ]+$/i, 'is no list of addresses and networks')
    .optional(),
  /** `iss` of OAuth 2 access tokens. Unset: tokens are not taken. */
  OAUTH_ISSUER: z.string().optional(),
  /** `aud` that a token must name. */
  OAUTH_AUDIENCE: z.string().optional(),
  /** Where the issuer publishes its public keys. */
  OAUTH_JWKS_URL: z.url({ protocol: /^https?$/ }).optional(),
  /** Requests a client may make in a minute. */
  RATE_LIMIT_PER_MINUTE: z.coerce.number().int().min(1).optional(),
  /** Recharges that one account may be asked for in a minute, whoever asks. */
  RATE_LIMIT_PER_ACCOUNT_PER_MINUTE: z.coerce.number().int().min(1).optional(),
  /**
   * Mean delay of the event loop from which on new recharges are turned away. Each request waits for several turns of
   * the loop, so at two seconds its caller has given up before it is answered; on a machine that others share, half a
   * second happens in bursts that pass by themselves.
   */
  OVERLOAD_DELAY_MS: milliseconds(20, 60_000).default(2_000),
  /** POSTs in work in one ingress: about a second's worth of what two cores can take, with bodies of 192 kB at most. */
  OVERLOAD_IN_FLIGHT_MAX: z.coerce.number().int().min(1).max(100_000).default(2_000),
  /** Bodies that may be arriving at one ingress at once. A whole one is there within milliseconds. */
  BODIES_ARRIVING_MAX: z.coerce.number().int().min(1).max(100_000).default(4_000),
  /** The same, from one address. Raise it where a balancer in front hides the addresses of callers. */
  BODIES_ARRIVING_PER_ADDRESS_MAX: z.coerce.number().int().min(1).max(100_000).default(500),
  /** How long an idle connection is kept. Balancers keep theirs for 60 s, and must not find ours closed. */
  KEEP_ALIVE_MS: milliseconds(1_000, 3_600_000).default(75_000),
  /** Connections of one ingress. An idle one costs some 10 kB; beyond the limit new ones are closed at once. */
  INGRESS_CONNECTIONS_MAX: z.coerce.number().int().min(1).max(1_000_000).default(10_000),
  /** PEM files of the ingress's certificate chain and its key: https is served directly. Both or none. */
  TLS_CERT_FILE: z.string().optional(),
  TLS_KEY_FILE: z.string().optional(),
  /** PEM file of the CA of client certificates: producers must show one, whose common name is their client's name. */
  TLS_CLIENT_CA_FILE: z.string().optional(),
} as const;

/** A setting is missing or wrong, and starting again will not mend it: the process ends with exit code 78. */
export class BadConfiguration extends Error {
  override readonly name = 'BadConfiguration';

  constructor(message: string) {
    super(message);
    // Whoever set the environment reads this in the log, and no line of ours is at fault.
    delete this.stack;
  }
}

const Settings = z.object(settings);
type ParsedSettings = z.infer<typeof Settings>;

export type Config = Readonly<
  ParsedSettings & {
    RECONCILE_PERIOD_MS: number;
    RECONCILE_AFTER_MS: number;
    PROVIDER_TIMEOUT_MS: number;
    PUBLIC_URL: string;
    SANDBOX_URL: string;
  }
>;

/**
 * Silence in production is measured in minutes: Alibaba Cloud's own orders may take that long, and asking sooner
 * only spends the provider's quota. On a desk it is seconds, so that a person sees the healing happen.
 */
const waits = {
  production: { RECONCILE_PERIOD_MS: 15_000, RECONCILE_AFTER_MS: 120_000, PROVIDER_TIMEOUT_MS: 20_000 },
  local: { RECONCILE_PERIOD_MS: 1_000, RECONCILE_AFTER_MS: 2_000, PROVIDER_TIMEOUT_MS: 2_000 },
} as const;

/** Reads the whole configuration at once. @throws BadConfiguration that names every fault */
export function readConfig(env: Env): Config {
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const isProduction = given.NODE_ENV === 'production';
  const parsed = Settings.safeParse({ ...(isProduction ? {} : localDefaults(env)), ...given });
  const read = parsed.success ? parsed.data : readableOf(given);
  const timed = { ...waitsFor(isProduction, read), ...stripUndefined(read) };
  const conflicts = conflictsOf(timed, { isProduction, isGiven: (name) => given[name] !== undefined });
  const faults = [...(parsed.success ? [] : [z.prettifyError(parsed.error)]), ...conflicts];
  if (faults.length > 0) throw new BadConfiguration(`bad configuration\n${faults.join('\n')}`);
  return Object.freeze({
    PUBLIC_URL: `http://127.0.0.1:${read.INGRESS_PORT}`,
    SANDBOX_URL: `http://127.0.0.1:${read.SANDBOX_PORT}`,
    ...timed,
  } as Config);
}

/** The defaults of the three times, which are judged together: a longer call makes the silence after it longer. */
function waitsFor(isProduction: boolean, { PROVIDER_TIMEOUT_MS: timeoutMs = 0 }: Partial<ParsedSettings>) {
  const defaults = waits[isProduction ? 'production' : 'local'];
  const margin = isProduction ? QUERY_MARGIN_MS : 0;
  return { ...defaults, RECONCILE_AFTER_MS: Math.max(defaults.RECONCILE_AFTER_MS, timeoutMs + margin) };
}

/** The settings that can be read by themselves, so that what contradicts them is told with those that cannot. */
const readableOf = (given: Readonly<Record<string, unknown>>): Partial<ParsedSettings> =>
  Object.fromEntries(
    Object.entries(settings).flatMap(([name, setting]) => {
      const { success, data } = setting.safeParse(given[name]);
      return success ? [[name, data]] : [];
    }),
  );

// Read by the launcher, or where local state is found, and not settings of a process.
const ELSEWHERE = ['REPLENISH_DIR'];

/** Variables that look like settings and set nothing. */
export const unheardSettings = (env: Env): Unheard[] =>
  unheardOf(Object.keys(env), [...Object.keys(settings), ...ELSEWHERE]);

/**
 * What each of them reads, so that whoever corrects a configuration starts the process once and not once a fault.
 * @throws BadConfiguration with the faults of all of them
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

/** @throws an error that says how to get one, when no database is configured and no local one is running. */
export function requireDatabaseUrl(config: Config): string {
  if (config.DATABASE_URL) return config.DATABASE_URL;
  throw new BadConfiguration(
    'no database: set DATABASE_URL, or start the local fleet with `npm start` first',
  );
}

/**
 * The names of the providers that a worker serves.
 * @throws BadConfiguration when there is none: a worker that can serve nobody would look healthy for ever
 */
export function requireProviders(names: readonly string[]): readonly string[] {
  if (names.length > 0) return names;
  throw new BadConfiguration(
    'no provider is configured: production does not use the sandbox, and there is no other provider yet',
  );
}

const stripUndefined = <T extends object>(value: T): Partial<T> =>
  Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as Partial<T>;
