import { expect, test } from '@jest/globals';
import { Gauge, openRegistry, serveMetrics } from '../../src/observe/metrics.js';
import { Health } from '../../src/process/health.js';

test('a gauge that cannot read its store fails the scrape, but not the health check', async () => {
  const registry = openRegistry('test');
  new Gauge({
    name: 'replenish_away',
    help: 'Of a store that is away.',
    registers: [registry],
    collect: () => Promise.reject(new Error('the store is away')),
  });
  const server = await serveMetrics(registry, new Health(), { host: '127.0.0.1', port: 0 });
  const ask = (path: string) => fetch(`http://127.0.0.1:${server.port}${path}`);
  expect((await ask('/metrics')).status).toBe(500);
  expect((await ask('/healthz')).status).toBe(200);
  await server.close();
});
