import { type Config, metricsOffset } from '@replenish/runtime';
import type { FirstAdmin } from './prepare.js';
import type { DemoClient } from './state/demo-client.js';

const urlOf = (host: string, port: number, scheme = 'http'): string =>
  `${scheme}://${host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host}:${port}`;

export const ingressUrl = ({ INGRESS_HOST, INGRESS_PORT, TLS_CERT_FILE }: Config): string =>
  urlOf(INGRESS_HOST, INGRESS_PORT, TLS_CERT_FILE ? 'https' : 'http');

/** First line of the welcome. The fleet accepts recharges from then on. */
export const READY_LINE = 'Replenish is ready.';

/** Last line of the welcome. A start prints nothing after it. */
export const LAST_LINE = 'Ctrl-C ends it.';

const SHOWN_ONCE = '(shown this once)';
export const isShownOnce = (line: string): boolean => line.endsWith(SHOWN_ONCE);

type WelcomeFacts = Readonly<{
  config: Config;
  dir: string;
  demo: DemoClient | null;
  /** The first user of the console. Null unless this start made it. */
  admin: FirstAdmin | null;
}>;

/** The next steps for a person: addresses, the first user of the console, and a curl line that can be pasted. */
export function welcome({ config, dir, demo, admin }: WelcomeFacts): string[] {
  const ingress = ingressUrl(config);
  const lines = [
    '',
    READY_LINE,
    '',
    `  API        ${ingress}`,
    `  docs       ${ingress}/docs`,
    `  dashboard  ${urlOf(config.DASHBOARD_HOST, config.DASHBOARD_PORT)}  ${login(admin)}`,
    ...(admin ? [`             second factor: ${admin.totpUri} ${SHOWN_ONCE}`] : []),
  ];
  if (config.NODE_ENV !== 'production') {
    lines.push(...sandbox(config));
  }
  lines.push(...metrics(config), `  logs       ${dir}/logs`, '');
  if (demo) lines.push(...tryIt(config, demo));
  return [...lines, LAST_LINE];
}

function sandbox(config: Config): string[] {
  const at = urlOf(config.SANDBOX_HOST, config.SANDBOX_PORT);
  const { SANDBOX_ALIBABA_PORT, SANDBOX_ALIPAY_PORT, SANDBOX_STRIPE_PORT } = config;
  return [
    `  sandbox    ${at}/_control/stats`,
    `  simulated  Alibaba Cloud ${SANDBOX_ALIBABA_PORT}, Alipay ${SANDBOX_ALIPAY_PORT}, Stripe ${SANDBOX_STRIPE_PORT}; their keys: ${at}/_control/endpoints`,
  ];
}

const login = (admin: FirstAdmin | null): string =>
  admin
    ? `user: ${admin.name}, password: ${admin.password} ${SHOWN_ONCE}`
    : 'users as made before (`npx replenish user reset admin` makes a new password)';

function metrics(config: Config): string[] {
  if (config.METRICS_PORT === 0) return [];
  const last = config.METRICS_PORT + Math.max(...Object.values(metricsOffset));
  return [
    `  metrics    ${urlOf(config.METRICS_HOST, config.METRICS_PORT)}/metrics and the ports up to ${last}`,
  ];
}

function tryIt(config: Config, demo: DemoClient): string[] {
  const key = `${demo.keyId}.${demo.secret}`;
  const body = { accountId: 'acct-1001', amount: 4999, currency: 'USD', paymentMethod: 'sandbox' };
  return [
    `  demo key   ${key}`,
    '',
    'Try it:',
    '',
    [
      `curl -s -X POST ${ingressUrl(config)}/v1/recharges`,
      ...(config.TLS_CERT_FILE ? [`--cacert '${config.TLS_CERT_FILE}'`] : []),
      `-H 'Authorization: Bearer ${key}'`,
      "-H 'Idempotency-Key: first-1'",
      "-H 'Content-Type: application/json'",
      `-d '${JSON.stringify(body)}'`,
    ].join(' '),
    '',
  ];
}
