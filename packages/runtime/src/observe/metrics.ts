import { createServer, type Server, type ServerResponse } from 'node:http';
import { collectDefaultMetrics, type Gauge, Registry } from 'prom-client';
import type { Health } from '../process/health.js';

export { Counter, Gauge, Histogram } from 'prom-client';

/** Metrics ports start at METRICS_PORT. Each kind of process adds its own offset. */
export const metricsOffset = {
  ingress: 0,
  'submission-worker': 1,
  'webhook-worker': 2,
  'reconciliation-worker': 3,
  dashboard: 4,
  sandbox: 5,
  'callback-worker': 6,
  'automation-worker': 7,
} as const;

export type ProcessName = keyof typeof metricsOffset;

export function openRegistry(processName: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ process: processName });
  collectDefaultMetrics({ register: registry });
  return registry;
}

/**
 * Lets the gauges of one scrape share a reading. A registry collects its gauges at the same time. Null: the reading
 * failed.
 */
export function sharedReading<T>(read: () => Promise<T>): () => Promise<T | null> {
  let underWay: Promise<T | null> | null = null;
  return () => {
    underWay ??= read()
      .catch(() => null)
      .finally(() => {
        underWay = null;
      });
    return underWay;
  };
}

/** Sets a gauge without labels. Null removes its value, so that an alert can see that there is none. */
export function setOrRemove(gauge: Gauge, value: number | null): void {
  gauge.remove();
  if (value !== null) gauge.set(value);
}

export type MetricsServer = Readonly<{ port: number; close: () => Promise<void> }>;

/**
 * Serves `/metrics`, `/healthz` and `/readyz` on a port separate from the public one (OWASP ASVS 13.4.5). If another
 * process of the same kind has the port, the next port to try is ten higher.
 */
export async function serveMetrics(
  registry: Registry,
  health: Health,
  at: { host: string; port: number },
): Promise<MetricsServer> {
  const answer = async (path: string | undefined, response: ServerResponse): Promise<void> => {
    if (path === '/metrics') {
      const text = await registry.metrics();
      response.setHeader('content-type', registry.contentType);
      response.end(text);
      return;
    }
    const report = path === '/healthz' ? health.alive() : path === '/readyz' ? await health.ready() : null;
    response.statusCode = report === null ? 404 : report.ok ? 200 : 503;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(report ?? { error: 'not found' }));
  };
  const server = createServer((request, response) => {
    // `answer` fails when a gauge reads from a database or queue that is down.
    answer(request.url?.split('?')[0], response).catch((error: unknown) => {
      response.statusCode = 500;
      response.end(`${error instanceof Error ? error.message : String(error)}\n`);
    });
  });
  server.unref();
  const port = await listenNear(server, at.host, at.port);
  return { port, close: () => new Promise((resolve) => server.close(() => resolve())) };
}

async function listenNear(server: Server, host: string, firstPort: number): Promise<number> {
  for (let tried = 0; tried < 20; tried++) {
    const port = firstPort === 0 ? 0 : firstPort + tried * 10;
    const taken = await new Promise<boolean>((resolve, reject) => {
      const onError = (error: NodeJS.ErrnoException) =>
        error.code === 'EADDRINUSE' ? resolve(true) : reject(error);
      server.once('error', onError);
      server.listen(port, host, () => {
        server.removeListener('error', onError);
        resolve(false);
      });
    });
    if (!taken) return (server.address() as { port: number }).port;
  }
  throw new Error(`no free port for metrics from ${firstPort} on`);
}
