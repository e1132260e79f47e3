import type { Domain } from '@replenish/domain';
import type { Providers } from '@replenish/providers';
import {
  Counter,
  correlationIdFrom,
  type Frame,
  type Logger,
  type PageLink,
  readClientAddresses,
} from '@replenish/runtime';
import { isTracing } from '@replenish/runtime/traces';
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
  Router,
} from 'express';
import { openAuthentication } from './auth/caller.js';
import type { AuthSettings } from './auth/settings.js';
import { docsRoutes } from './docs/routes.js';
import { preferredForm } from './http/answers/answer.js';
import { answerProblems, notFound, Problem, PUBLIC_URL } from './http/answers/problem.js';
import { addHeader, sendPage, setStandingHeaders } from './http/answers/send.js';
import {
  answeredStatus,
  atEnd,
  callOf,
  type Observer,
  observeAll,
  openCall,
  type RequestContext,
} from './http/call.js';
import { once } from './http/once.js';
import { addRoutes, openHandler } from './http/operation.js';
import { type Intake, readBody } from './http/read-body.js';
import { redacted } from './http/redaction.js';
import { requireOneHost } from './http/single-headers.js';
import { type CallHints, openCallSpan } from './http/traced-call.js';
import { keyedHandler } from './input/keyed-handler.js';
import { openTargets } from './input/targets.js';
import { openapiDocument } from './openapi/document.js';
import { keyedOperations, publicOperations } from './openapi/operations.js';
import { sharedProof } from './proof/handlers.js';
import { admitting } from './protection/admission.js';
import type { Protection } from './protection/protection.js';
import { WEBHOOK_BODY_MAX_BYTES, type WebhookDeps } from './webhooks/handlers.js';
import { webhooks } from './webhooks/operations.js';

export type IngressDeps = Readonly<{
  domain: Domain;
  providers: Providers;
  queues: CallHints;
  log: Logger;
  registry: Frame['registry'];
  health: Frame['health'];
  auth: AuthSettings;
  /** Targets of callbacks that may be private, as `host:port`. Default: none. */
  callbackAllow?: ReadonlySet<string> | undefined;
  /** Public address: base of the `type` of problems, and of the examples in the documentation. */
  publicUrl?: string | undefined;
  /** Links to the dashboard and the sandbox in the header of the documentation. */
  places?: readonly PageLink[];
  protection?: Protection;
  /**
   * Aborted when the process is told to stop. Calls that wait for an outcome are then answered with the current
   * state.
   */
  stopping?: AbortSignal;
}>;

// A lookahead matches the prefix without removing it from the path that the routers see. Other requests skip all
// routes behind the prefix after one comparison.
const OPEN_TO_ALL = /^(?=\/(?:healthz|readyz|docs|openapi\.json)(?:\/|$))/i;
const WEBHOOKS = /^(?=\/webhooks\/)/i;

const LOCAL_URL = 'http://127.0.0.1:8080';

// The largest valid recharge (50 entries of metadata with 40 and 500 characters) is about 170 kB when every character
// is escaped.
const BODY_MAX_BYTES = 192 * 1_024;

/** The limits of the paths that take larger bodies. */
const largerBodies = new Map(
  keyedOperations.flatMap(({ paths, body }) =>
    body?.bytesMax === undefined ? [] : paths.map((path) => [path, body.bytesMax!] as const),
  ),
);

/** Builds the HTTP application: it authenticates, validates, calls the domain, answers and hints the queue. */
export function buildApp(deps: IngressDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.set('trust proxy', deps.auth.trustProxy);
  readClientAddresses(app);
  app.use(observeAll([opening(deps.log)]));
  const [requests, received] = openCounters(deps.registry);
  app.set(PUBLIC_URL, deps.publicUrl);
  app.use(OPEN_TO_ALL, observeAll([setStandingHeaders]), publicRoutes(deps));
  const { limits = null, mutualTls = false, observers = [], intake = null, waits } = deps.protection ?? {};
  app.use(observeAll(isTracing() ? [openCallSpan, ...observers] : observers));
  app.use(WEBHOOKS, webhookRoutes({ ...deps, inbox: deps.domain.inbox, received }, intake));
  app.use(readBody(BODY_MAX_BYTES, intake, (path) => largerBodies.get(path)));
  const caller = admitting(openAuthentication(deps.domain.clients, deps.auth), { limits, mutualTls });
  const { audit, balances, payees } = deps.domain;
  const proof = sharedProof(deps.domain);
  const targets = openTargets(deps.callbackAllow ?? new Set());
  const services = { ...deps, targets, audit, balances, payees, proof, requests, limits, waits };
  const asking = { caller, answeredKeys: deps.domain.answeredKeys };
  addRoutes(app, keyedOperations, (operation) => [keyedHandler(operation, services, asking)]);
  app.use(toDocumentation);
  app.use(notFound);
  app.use(keepProblem);
  app.use(answerProblems(deps.log));
  return app;
}

/** Health, the OpenAPI document and the documentation. */
function publicRoutes({ auth, health, publicUrl = LOCAL_URL, places = [] }: IngressDeps): Router {
  const contract = once(() => openapiDocument(publicUrl));
  const router = Router();
  const services = { health, contract: once(() => JSON.stringify(contract())) };
  addRoutes(router, publicOperations, (operation) => [openHandler(operation, services)]);
  router.use(docsRoutes({ publicUrl, contract, isProduction: auth.isProduction, places }));
  return router;
}

/** Webhooks have a body limit of their own, so they are mounted before the reader of all other bodies. */
function webhookRoutes(deps: Omit<WebhookDeps, 'now'>, intake: Intake | null): Router {
  const router = Router();
  const services = { ...deps, now: () => new Date() };
  const read = readBody(WEBHOOK_BODY_MAX_BYTES, intake);
  addRoutes(router, webhooks, (operation) => [read, openHandler(operation, services)]);
  return router;
}

/** Redirects a browser from `/` to the documentation. It comes after all routes, so that it costs API calls no time. */
const toDocumentation: RequestHandler = (request, response, next) => {
  if (request.path !== '/' || request.method !== 'GET' || preferredForm(request) !== 'html') return next();
  addHeader(response, 'vary', 'accept');
  addHeader(response, 'location', '/docs');
  sendPage(response, 302, '<!doctype html><title>Replenish</title><a href="/docs">Documentation</a>');
};

/** Stores the error on the call, where the audit trail and the security watch read it. */
const keepProblem: ErrorRequestHandler = (error, _request, response, next) => {
  callOf(response).problem = error;
  next(error);
};

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

/** Opens the call. It takes over or makes the correlation id, and writes one log line when the call ends. */
function opening(log: Logger): Observer {
  const logLine = (request: Request, response: Response, call: RequestContext): void => {
    const { correlationId, transactionId, idempotencyKey, durationMs, trace } = call;
    const { method } = request;
    const path = redacted(request.originalUrl.split('?')[0]!);
    const status = answeredStatus(response);
    log.info(
      { correlationId, transactionId, idempotencyKey, method, path, status, durationMs, ...trace },
      'request',
    );
  };
  return (request, response) => {
    const { headers } = request;
    openCall(request, response, correlationIdFrom(headers['x-correlation-id'] as string | undefined));
    atEnd(response, logLine);
    // An HTTP/1.0 sender may not know chunked bodies. Bytes behind such a body could be read as another request, so
    // the connection ends here (RFC 9112, 6.1).
    if (headers['transfer-encoding'] !== undefined && request.httpVersion === '1.0')
      response.shouldKeepAlive = false;
    requireOneHost(request);
    if (headers.expect !== undefined && !/^100-continue$/i.test(headers.expect))
      throw new Problem('INVALID_ARGUMENT', 'the only Expect that is supported is 100-continue', {
        status: 417,
      });
  };
}
