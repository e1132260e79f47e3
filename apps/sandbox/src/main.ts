import { join } from 'node:path';
import { BadConfiguration, Gauge, localStateDir, runProcess } from '@replenish/runtime';
import { openSandbox } from './sandbox.js';

// A person who pays by a saved card does not notice this time. It is long enough to see the recharge wait.
const PAYS_AFTER_MS = 300;

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
    dialects: {
      ports: {
        alibaba: config.SANDBOX_ALIBABA_PORT,
        alipay: config.SANDBOX_ALIPAY_PORT,
        stripe: config.SANDBOX_STRIPE_PORT,
      },
      stripeAccounts: [...new Set(config.SANDBOX_STRIPE_ACCOUNTS?.split(','))],
      stripeWebhookUrl: `${config.PUBLIC_URL}/webhooks/stripe`,
      paysAfterMs: PAYS_AFTER_MS,
    },
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
