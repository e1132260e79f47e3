import type { Domain } from '@replenish/domain';
import type { Providers } from '@replenish/providers';
import type { Queues } from '@replenish/queues';
import { Counter, correlationIdFrom, type Frame, type Logger } from '@replenish/runtime';
import express, { type Express, type RequestHandler, raw } from 'express';
import { accountRoutes } from './accounts.js';
import { openCallers } from './caller.js';
import { answerProblems, notFound } from './problem.js';
import { rechargeRoutes } from './recharges.js';
import { webhookRoutes } from './webhooks.js';

export type IngressDeps = Readonly<{
  domain: Domain;
  providers: Providers;
  queues: Pick<Queues, 'hint'>;
  log: Logger;
  registry: Frame['registry'];
  health: Frame['health'];
}>;

// The largest valid recharge (50 entries of metadata with 40 and 500 characters) is about 170 kB when every character
// is escaped.
const BODY_MAX = '192kb';

/** The thin door: authenticate, validate, ask the domain, answer, hint the queue. */
export function buildApp(deps: IngressDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.use(correlate(deps.log));
  const [requests, received] = openCounters(deps.registry);
  app.get('/healthz', (_request, response) => void response.json(deps.health.alive()));
  app.get('/readyz', async (_request, response) => {
    const report = await deps.health.ready();
    response.status(report.ok ? 200 : 503).json(report);
  });
  app.use(webhookRoutes({ ...deps, inbox: deps.domain.inbox, received, now: () => new Date() }));
  app.use(raw({ type: () => true, limit: BODY_MAX, inflate: false }));
  const caller = openCallers(deps.domain.clients, Date.now);
  app.use(rechargeRoutes({ ...deps, caller, requests }));
  app.use(accountRoutes({ balances: deps.domain.balances, caller }));
  app.use(notFound);
  app.use(answerProblems(deps.log));
  return app;
}

function openCounters(registry: Frame['registry']): [Counter<'result'>, Counter<'provider' | 'result'>] {
  return [
    new Counter({
      name: 'replenish_recharge_requests_total',
      help: 'Valid requests for a recharge by result: created, replayed, or the refusal.',
      labelNames: ['result'],
      registers: [registry],
    }),
    new Counter({
      name: 'replenish_webhooks_received_total',
      help: 'Webhooks received by result: kept, repeated, changed, or the refusal.',
      labelNames: ['provider', 'result'],
      registers: [registry],
    }),
  ];
}

/** One correlation id from the request into the answer and the one line that the request leaves in the log. */
const correlate =
  (log: Logger): RequestHandler =>
  (request, response, next) => {
    const correlationId = correlationIdFrom(request.headers['x-correlation-id'] as string | undefined);
    response.locals.correlationId = correlationId;
    response.setHeader('x-correlation-id', correlationId);
    const startedAt = performance.now();
    response.once('finish', () => {
      const durationMs = Math.round((performance.now() - startedAt) * 10) / 10;
      const path = request.originalUrl.split('?')[0];
      log.info(
        { correlationId, method: request.method, path, status: response.statusCode, durationMs },
        'request',
      );
    });
    next();
  };
