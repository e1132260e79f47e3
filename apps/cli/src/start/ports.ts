import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '@replenish/runtime';

type Wanted = Readonly<{ setting: string; host: string; port: number }>;

export const wantedPorts = (config: Config): Wanted[] => [
  { setting: 'INGRESS_PORT', host: config.INGRESS_HOST, port: config.INGRESS_PORT },
  { setting: 'DASHBOARD_PORT', host: config.DASHBOARD_HOST, port: config.DASHBOARD_PORT },
  ...(config.NODE_ENV === 'production'
    ? []
    : sandboxPorts.map((setting) => ({ setting, host: config.SANDBOX_HOST, port: config[setting] }))),
];

const sandboxPorts = [
  'SANDBOX_PORT',
  'SANDBOX_ALIBABA_PORT',
  'SANDBOX_ALIPAY_PORT',
  'SANDBOX_STRIPE_PORT',
] as const;

/** One sentence per port that is still in use after `waitMs`. */
export async function takenPorts(wanted: readonly Wanted[], waitMs: number): Promise<string[]> {
  const giveUpAt = Date.now() + waitMs;
  for (;;) {
    const free = await Promise.all(wanted.map(isFree));
    const taken = wanted.filter((_, at) => !free[at]);
    if (taken.length === 0 || Date.now() >= giveUpAt) return taken.map(sentence);
    await sleep(100);
  }
}

const sentence = ({ setting, host, port }: Wanted): string =>
  `port ${port} on ${host} is taken by another program: end that one, or choose another port with ${setting}`;

const isFree = ({ host, port }: Wanted): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'EADDRINUSE'));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
