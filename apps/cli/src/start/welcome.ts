import { type Config, metricsOffset } from '@replenish/runtime';
import type { DemoClient } from './demo-client.js';

const urlOf = (host: string, port: number): string =>
  `http://${host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host}:${port}`;

export const ingressUrl = (config: Config): string => urlOf(config.INGRESS_HOST, config.INGRESS_PORT);

type Known = Readonly<{ config: Config; dir: string; demo: DemoClient | null; newPassword: string | null }>;

/** What a person needs next: where everything is, how to log in, and a line that works when it is pasted. */
export function welcome({ config, dir, demo, newPassword }: Known): string[] {
  const ingress = ingressUrl(config);
  const lines = [
    '',
    'Replenish is ready.',
    '',
    `  API        ${ingress}`,
    `  docs       ${ingress}/docs`,
    `  dashboard  ${urlOf(config.DASHBOARD_HOST, config.DASHBOARD_PORT)}  ${login(dir, newPassword)}`,
  ];
  if (config.NODE_ENV !== 'production') {
    lines.push(`  sandbox    ${urlOf(config.SANDBOX_HOST, config.SANDBOX_PORT)}/_control/stats`);
  }
  lines.push(...metrics(config), `  logs       ${dir}/logs`, '');
  if (demo) lines.push(...tryIt(ingress, demo));
  return [...lines, 'Ctrl-C ends it.'];
}

const login = (dir: string, newPassword: string | null): string =>
  newPassword
    ? `user: operator, password: ${newPassword} (shown this once)`
    : `user: operator, password: as set before (a new one: remove DASHBOARD_PASSWORD_HASH from ${dir}/env.json)`;

function metrics(config: Config): string[] {
  if (config.METRICS_PORT === 0) return [];
  const last = config.METRICS_PORT + Math.max(...Object.values(metricsOffset));
  return [
    `  metrics    ${urlOf(config.METRICS_HOST, config.METRICS_PORT)}/metrics and the ports up to ${last}`,
  ];
}

function tryIt(ingress: string, demo: DemoClient): string[] {
  const key = `${demo.keyId}.${demo.secret}`;
  const body = { accountId: 'acct-1001', amount: 4999, currency: 'USD', paymentMethod: 'sandbox' };
  return [
    `  demo key   ${key}`,
    '',
    'Try it:',
    '',
    [
      `curl -s -X POST ${ingress}/v1/recharges`,
      `-H 'Authorization: Bearer ${key}'`,
      "-H 'Idempotency-Key: first-1'",
      "-H 'Content-Type: application/json'",
      `-d '${JSON.stringify(body)}'`,
    ].join(' '),
    '',
  ];
}
