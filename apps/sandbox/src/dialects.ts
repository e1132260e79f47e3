import { join } from 'node:path';
import { type Logger, simulatorKeys } from '@replenish/runtime';
import { Router } from 'express';
import { type AlibabaCloud, openAlibabaCloud, simulatorKey } from './alibaba-cloud/alibaba-cloud.js';
import { type AlipayDialect, openAlipayDialect } from './alipay/dialect.js';
import type { Outage } from './machine/outage.js';
import { openStripeDialect, type StripeDialect } from './stripe/dialect.js';

export type DialectsOptions = Readonly<{
  host: string;
  /** 0: any free port. */
  ports: Readonly<{ alibaba: number; alipay: number; stripe: number }>;
  /** Each dialect has a folder below this one. */
  dataDir: string;
  /** The secret of the events of Stripe. */
  webhookSecret: string;
  /** The names of further accounts of Stripe. Default: none. */
  stripeAccounts?: readonly string[];
  /** The address that events of Stripe are sent to. Null: none is sent until the control API names one. */
  stripeWebhookUrl: string | null;
  /** The time until the payer of a card acts by itself. Null: the payer never does. */
  paysAfterMs: number | null;
  log: Logger;
  outage: Outage;
  /** The delay of answers while the outage is `slow`. */
  slowAnswerMs: number;
}>;

export type Dialects = Readonly<{
  /** The control APIs of the dialects, with their paths from the root. */
  control: Router;
  close: () => Promise<void>;
}>;

/** Opens the simulators of the real providers, each on its own port. */
export async function openDialects(options: DialectsOptions): Promise<Dialects> {
  const { host, ports, dataDir, log, outage, slowAnswerMs } = options;
  const opened: { close: () => Promise<void> }[] = [];
  const keep = <D extends { close: () => Promise<void> }>(dialect: D): D => {
    opened.push(dialect);
    return dialect;
  };
  const close = async () => {
    await Promise.all(opened.map((dialect) => dialect.close()));
  };
  try {
    const alibaba = keep(
      await openAlibabaCloud({ host, log, outage, slowAnswerMs, dataDir, port: ports.alibaba }),
    );
    const stripe = keep(
      await openStripeDialect({
        ...{ host, log, outage, port: ports.stripe, dataDir: join(dataDir, 'stripe') },
        secretKey: simulatorKeys.STRIPE_SECRET_KEY,
        webhookSecret: options.webhookSecret,
        accounts: options.stripeAccounts ?? [],
        webhookUrl: options.stripeWebhookUrl,
        paysAfterMs: options.paysAfterMs,
      }),
    );
    const alipay = keep(
      await openAlipayDialect({
        ...{ host, log, outage, port: ports.alipay, dataDir: join(dataDir, 'alipay') },
        appId: simulatorKeys.ALIPAY_APP_ID,
        sellerId: simulatorKeys.ALIPAY_SELLER_ID,
      }),
    );
    return { control: controlOf(alibaba, stripe, alipay), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function controlOf(alibaba: AlibabaCloud, stripe: StripeDialect, alipay: AlipayDialect): Router {
  const router = Router();
  router.get('/_control/endpoints', (_request, response) => {
    const { url, gateway, appId, privateKey, alipayPublicKey, sellerId } = alipay;
    response.json({
      alibaba: { url: alibaba.url, ...simulatorKey },
      alipay: { url, gateway, appId, privateKey, alipayPublicKey, sellerId },
      stripe: {
        ...{ url: stripe.url, secretKey: stripe.secretKey, webhookSecret: stripe.webhookSecret },
        ...(stripe.accounts.length > 0 && { accounts: stripe.accounts }),
      },
    });
  });
  router.use('/_control/alibaba', alibaba.control);
  router.use('/_control/alipay', alipay.control);
  router.use('/_control/stripe', stripe.control);
  return router;
}
