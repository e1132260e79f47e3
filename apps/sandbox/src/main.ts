import { join } from 'node:path';
import { BadConfiguration, Gauge, localStateDir, runProcess } from '@replenish/runtime';
import { openSandbox } from './sandbox.js';

await runProcess('sandbox', process.env, async ({ config, log, registry, opened }) => {
  const webhookSecret = config.SANDBOX_WEBHOOK_SECRET;
  if (!webhookSecret)
    throw new BadConfiguration(
      'SANDBOX_WEBHOOK_SECRET is not set: "whsec_" and base64, the same for the sandbox and for the ingress that verifies its webhooks',
    );
  const sandbox = await openSandbox({
    host: config.SANDBOX_HOST,
    port: config.SANDBOX_PORT,
    dataDir: config.SANDBOX_DATA_DIR ?? join(localStateDir(process.env), 'sandbox'),
    webhookSecret,
    log,
    docsUrl: `${config.PUBLIC_URL}/docs`,
  });
  opened('sandbox', sandbox, ({ close }) => close());
  new Gauge({
    name: 'replenish_sandbox_orders',
    help: 'Orders in the store, by status',
    labelNames: ['status'],
    registers: [registry],
    collect() {
      for (const [status, count] of Object.entries(sandbox.counters.orders)) this.set({ status }, count);
    },
  });
  return sandbox.url;
});
