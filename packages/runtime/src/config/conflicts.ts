import { metricsOffset } from '../observe/metrics.js';

/** The settings that must fit each other. A setting that could not be read is absent. */
export type ComparedSettings = Partial<
  Readonly<
    Record<
      | 'RECONCILE_PERIOD_MS'
      | 'RECONCILE_AFTER_MS'
      | 'PROVIDER_TIMEOUT_MS'
      | 'INGRESS_PORT'
      | 'DASHBOARD_PORT'
      | 'SANDBOX_PORT'
      | 'SANDBOX_ALIBABA_PORT'
      | 'SANDBOX_ALIPAY_PORT'
      | 'SANDBOX_STRIPE_PORT'
      | 'METRICS_PORT',
      number | undefined
    >
  >
>;

type Environment = Readonly<{ isProduction: boolean; isGiven: (name: keyof ComparedSettings) => boolean }>;

/** A query can take this much longer than the time limit of a call, because short refusals are retried after waits. */
export const QUERY_MARGIN_MS = 3_000;
// On a developer machine the sandbox may be queried while a call to it is still running, so RECONCILE_AFTER_MS may be
// short. With the default time limit of a call, every permitted value passes.
const LOCAL_TIMES = 50;
const PERIOD_MAX_MS = 60_000;

/** One sentence per contradiction. It names both settings and their values. */
export function conflictsOf(settings: ComparedSettings, environment: Environment): string[] {
  return [
    ...impatience(settings, environment),
    ...sleepiness(settings),
    ...portFaults(settings, environment),
  ];
}

function impatience(
  { RECONCILE_AFTER_MS: afterMs, PROVIDER_TIMEOUT_MS: timeoutMs }: ComparedSettings,
  { isProduction }: Environment,
): string[] {
  if (afterMs === undefined || timeoutMs === undefined) return [];
  const leastMs = isProduction ? timeoutMs + QUERY_MARGIN_MS : timeoutMs / LOCAL_TIMES;
  if (afterMs >= leastMs) return [];
  const rule = isProduction ? `${QUERY_MARGIN_MS} ms above it` : `a fiftieth of it`;
  return [
    `RECONCILE_AFTER_MS=${afterMs} is too short for PROVIDER_TIMEOUT_MS=${timeoutMs}: a provider would be asked ` +
      `again while it is being asked; set it to ${rule} at least`,
  ];
}

function sleepiness({
  RECONCILE_AFTER_MS: afterMs,
  RECONCILE_PERIOD_MS: periodMs,
}: ComparedSettings): string[] {
  if (afterMs === undefined || periodMs === undefined) return [];
  if (periodMs <= Math.max(afterMs, PERIOD_MAX_MS)) return [];
  return [
    `RECONCILE_PERIOD_MS=${periodMs} is longer than RECONCILE_AFTER_MS=${afterMs} and than a minute: nothing that ` +
      'was lost would be found in time',
  ];
}

function portFaults(settings: ComparedSettings, environment: Environment): string[] {
  const { METRICS_PORT: metrics } = settings;
  const last = Math.max(...Object.values(metricsOffset));
  const beyond =
    metrics !== undefined && metrics + last > 65_535
      ? [`METRICS_PORT=${metrics} is the first of ${last + 1} ports, and the last one is beyond 65535`]
      : [];
  return [...beyond, ...sharedPorts(settings, environment)];
}

const servedPorts = [
  ...(['INGRESS_PORT', 'DASHBOARD_PORT', 'SANDBOX_PORT'] as const),
  ...(['SANDBOX_ALIBABA_PORT', 'SANDBOX_ALIPAY_PORT', 'SANDBOX_STRIPE_PORT'] as const),
] as const;

/**
 * In production only ports that were set explicitly are compared: the processes may run on different machines, where
 * equal defaults are correct. Elsewhere one launcher starts all processes on one machine.
 */
function sharedPorts(settings: ComparedSettings, { isProduction, isGiven }: Environment): string[] {
  const served = servedPorts.filter((name) => settings[name] && (!isProduction || isGiven(name)));
  const pairs = served.flatMap((one, at) => served.slice(at + 1).map((other) => [one, other] as const));
  const twice = pairs
    .filter(([one, other]) => settings[one] === settings[other])
    .map(([one, other]) => `${one} and ${other} are both ${settings[one]}`);
  return [...twice, ...ownMetrics(settings)];
}

/** Faults of a process whose metrics port is also the port for its callers. */
function ownMetrics({
  METRICS_PORT: metrics,
  INGRESS_PORT,
  DASHBOARD_PORT,
  SANDBOX_PORT,
}: ComparedSettings): string[] {
  if (!metrics) return [];
  const own = [
    ['INGRESS_PORT', INGRESS_PORT, metricsOffset.ingress],
    ['DASHBOARD_PORT', DASHBOARD_PORT, metricsOffset.dashboard],
    ['SANDBOX_PORT', SANDBOX_PORT, metricsOffset.sandbox],
  ] as const;
  return own
    .filter(([, port, offset]) => port === metrics + offset)
    .map(([name, port, offset]) => `${name}=${port} is also METRICS_PORT + ${offset}, where its metrics are`);
}
