import type { Headers, WebhookRefusal, Webhooks } from './contract/webhook.js';
import type { Providers } from './registry.js';

type Accepted = Readonly<{ ok: true; account: string; eventId: string }> & Pick<Webhooks, 'reply'>;

/** `no_webhooks`: the provider is not configured, or sends none. */
export type ReceivedWebhook = Accepted | Readonly<{ ok: false; refusal: WebhookRefusal | 'no_webhooks' }>;

/**
 * Verifies a webhook and finds the account that it is for: the one whose secret fits. If several secrets fit, it is the
 * account that the body names.
 */
export function receiveWebhook(
  providers: Pick<Providers, 'accounts' | 'raw'>,
  name: string,
  { rawBody, headers, now }: Readonly<{ rawBody: Buffer; headers: Headers; now: Date }>,
): ReceivedWebhook {
  let fitting: Accepted | null = null;
  let refusal: WebhookRefusal | 'no_webhooks' = 'no_webhooks';
  for (const account of providers.accounts(name)) {
    const webhooks = providers.raw(name, account)?.webhooks;
    if (!webhooks) continue;
    const verified = webhooks.verify(rawBody, headers, now);
    if (!verified.ok) {
      // If the secret of one account fits and only the time is wrong, that is the refusal to report.
      if (refusal !== 'outside_window') refusal = verified.refusal;
      continue;
    }
    const accepted: Accepted = { ok: true, account, eventId: verified.eventId, reply: webhooks.reply };
    if (webhooks.names?.(rawBody) ?? true) return accepted;
    fitting ??= accepted;
  }
  return fitting ?? { ok: false, refusal };
}
