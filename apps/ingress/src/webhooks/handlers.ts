import type { Domain } from '@replenish/domain';
import { type Providers, receiveWebhook, type WebhookRefusal } from '@replenish/providers';
import { type Counter, type Logger, newId } from '@replenish/runtime';
import type { Request, Response } from 'express';
import { Problem } from '../http/answers/problem.js';
import { send } from '../http/answers/send.js';
import { callOf } from '../http/call.js';
import type { CallHints } from '../http/traced-call.js';

export type WebhookDeps = Readonly<{
  inbox: Pick<Domain['inbox'], 'keep'>;
  providers: Pick<Providers, 'accounts' | 'raw'>;
  queues: CallHints;
  log: Logger;
  received: Counter<'provider' | 'result'>;
  now: () => Date;
}>;

// Standard Webhooks recommends payloads below 20 kB. The largest of Alipay and Stripe are below 256 kB.
export const WEBHOOK_BODY_MAX_BYTES = 256 * 1_024;

const refusals: Record<WebhookRefusal, string> = {
  bad_signature: 'the signature does not fit these bytes',
  outside_window: 'the timestamp is outside the window',
};

/** Verifies the signature of the bytes, stores them and answers. The webhook worker reads their meaning later. */
export async function receive(deps: WebhookDeps, request: Request, response: Response): Promise<void> {
  const name = String(request.params.provider);
  const { correlationId, span, trace } = callOf(response);
  const rawBody = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const { headers } = request;
  const verified = receiveWebhook(deps.providers, name, { rawBody, headers, now: deps.now() });
  if (!verified.ok) {
    const { refusal } = verified;
    if (refusal === 'no_webhooks') throw new Problem('NOT_FOUND', 'there is no such provider');
    deps.received.inc({ provider: name, result: refusal });
    deps.log.warn({ provider: name, refusal, ip: request.ip, ...trace }, 'webhook refused');
    throw new Problem('UNAUTHENTICATED', refusals[refusal]);
  }
  const kept = await deps.inbox.keep({
    id: newId(),
    provider: name,
    providerAccount: verified.account,
    eventId: verified.eventId,
    rawBody,
    correlationId,
  });
  deps.received.inc({ provider: name, result: kept.verdict });
  // A repeated event is hinted again, because the first hint may be lost.
  void deps.queues.hint('webhooks', [kept.id], span);
  const { contentType, body } = verified.reply;
  send(response, 200, contentType, body);
}
