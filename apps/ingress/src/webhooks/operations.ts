import { ANY_CALL, type OpenOperation } from '../http/operation.js';
import { receive, type WebhookDeps } from './handlers.js';

export const webhooks: readonly OpenOperation<WebhookDeps>[] = [
  {
    method: 'post',
    paths: ['/webhooks/{provider}'],
    id: 'takeWebhook',
    tag: 'webhooks',
    summary: "Receive a provider's event",
    description:
      'For providers, not for producers. The provider signs the raw body in its own way. The answer comes when the event is stored; a repeated event gets the same answer.',
    body: 'bytes',
    answers: { 200: ['bytes', 'The event is stored. The body is the one that the provider asks for'] },
    problems: [...ANY_CALL, 'UNAUTHENTICATED', 'NOT_FOUND'],
    meanings: {
      UNAUTHENTICATED: 'The signature is wrong, or its time is more than 300 s off',
      NOT_FOUND: 'No provider of this name is configured',
    },
    handle: receive,
  },
];
