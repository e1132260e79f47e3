import { metricsOffset } from '../observe/metrics.js';

/** The settings that are judged against each other, as far as they could be read. */
export type Judged = Partial<
  Readonly<
    Record<
      | 'RECONCILE_PERIOD_MS'
      | 'RECONCILE_AFTER_MS'
      | 'PROVIDER_TIMEOUT_MS'
      | 'INGRESS_PORT'
      | 'DASHBOARD_PORT'
      | 'SANDBOX_PORT'
      | 'METRICS_PORT',
      number | undefined
    >
  >
>;

type Told = Readonly<{ isProduction: boolean; isGiven: (name: keyof Judged) => boolean }>;

/** Short refusals of one question, with the waits between them, take so much more than its call. */
export const QUERY_MARGIN_MS = 3_000;
// On one machine the sandbox may be asked while a call is still out. With the default time limit every silence that can
// be set is allowed.
const LOCAL_TIMES = 50;
const PERIOD_MAX_MS = 60_000;

/** What contradicts what, in words that name both settings and their values. */
export function conflictsOf(settings: Judged, told: Told): string[] {
  return [...impatience(settings, told), ...sleepiness(settings), ...portFaults(settings, told)];
}

function impatience(
  { RECONCILE_AFTER_MS: afterMs, PROVIDER_TIMEOUT_MS: timeoutMs }: Judged,
  { isProduction }: Told,
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

function sleepiness({ RECONCILE_AFTER_MS: afterMs, RECONCILE_PERIOD_MS: periodMs }: Judged): string[] {
  if (afterMs === undefined || periodMs === undefined) return [];
  if (periodMs <= Math.max(afterMs, PERIOD_MAX_MS)) return [];
  return [
    `RECONCILE_PERIOD_MS=${periodMs} is longer than RECONCILE_AFTER_MS=${afterMs} and than a minute: nothing that ` +
      'was lost would be found in time',
  ];
}

function portFaults(settings: Judged, told: Told): string[] {
  const { METRICS_PORT: metrics } = settings;
  const last = Math.max(...Object.values(metricsOffset));
  const beyond =
    metrics !== undefined && metrics + last > 65_535
      ? [`METRICS_PORT=${metrics} is the first of ${last + 1} ports, and the last one is beyond 65535`]
      : [];
  return [...beyond, ...sharedPorts(settings, told)];
}

/** Which processes share a machine is known only where one launcher starts all: elsewhere defaults may be the same. */
function sharedPorts(settings: Judged, { isProduction, isGiven }: Told): string[] {
  const served = (['INGRESS_PORT', 'DASHBOARD_PORT', 'SANDBOX_PORT'] as const).filter(
    (name) => settings[name] && (!isProduction || isGiven(name)),
  );
  const pairs = served.flatMap((one, at) => served.slice(at + 1).map((other) => [one, other] as const));
  const twice = pairs
    .filter(([one, other]) => settings[one] === settings[other])
    .map(([one, other]) => `${one} and ${other} are both ${settings[one]}`);
  return [...twice, ...ownMetrics(settings)];
}

/** A process that serves its metrics on the port that it also serves callers on. */
function ownMetrics({ METRICS_PORT: metrics, INGRESS_PORT, DASHBOARD_PORT, SANDBOX_PORT }: Judged): string[] {
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
