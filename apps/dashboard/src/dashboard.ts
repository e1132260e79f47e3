import { type Logger, readClientAddresses } from '@replenish/runtime';
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import { type ApprovalDeps, approvalRoutes } from './approvals/routes.js';
import { assetRoutes, type ConsoleDeps, consoleRoutes } from './pages/routes.js';
import {
  csrfToken,
  currentUser,
  findSession,
  loginRoutes,
  refuseUnknown,
  requireCsrf,
  requireFreshCode,
  requireRole,
  requireSession,
  type SingleSignOn,
  sentFromHere,
} from './people/index.js';
import { type Board, openBoard } from './queues/board.js';

const BOARD_PATH = '/queues';

type DashboardDeps = Omit<ConsoleDeps, 'people' | 'now' | 'onApproved'> &
  Readonly<{
    /** Called with an approved recharge, which may be sent now. */
    onApproved?: ApprovalDeps['onApproved'];
    /** Proxies whose X-Forwarded-* headers are trusted. False: none. */
    trustProxy?: readonly string[] | false;
    /** Null: people sign in with a password only. */
    signOn?: SingleSignOn | null;
  }>;

/**
 * The web application: `/login`, `/logout`, `/healthz`, and what requires a login: the pages of the console, approvals,
 * and the board under `/queues`.
 */
export function openDashboard(deps: DashboardDeps): {
  app: Express;
  show: Board['show'];
} {
  const { domain, log, trustProxy = false, onApproved = () => {}, signOn = null } = deps;
  const board = openBoard(BOARD_PATH);
  const people = { operators: domain.operators, log };
  const app = express();
  app.disable('x-powered-by').set('query parser', 'simple').set('trust proxy', trustProxy);
  readClientAddresses(app);
  app.use(securityHeaders());
  app.get('/healthz', (_request, response) => {
    response.json({ ok: true });
  });
  app.use(assetRoutes());
  app.use(sentFromHere);
  app.use(express.urlencoded({ extended: false, limit: '64kb' }), express.json({ limit: '64kb' }));
  app.use(findSession(people));
  app.use(loginRoutes({ ...people, home: '/', signOn }));
  app.use(requireSession);
  app.use(approvalRoutes({ approvals: domain.approvals, onApproved }));
  app.use(consoleRoutes({ ...deps, onApproved, people: peopleOfPages, now: () => new Date() }));
  app.use(BOARD_PATH, readingOnly, board.handler);
  app.use(refuseUnknown);
  app.use(inShort(log));
  return { app, show: board.show };
}

/** Every person has to enter a code, because everybody who may use a dangerous verb has a second factor. */
const peopleOfPages = {
  ...{ currentUser, requireRole, csrfToken, requireCsrf, requireFreshCode },
  needsCode: () => true,
};

/**
 * Refuses all methods that could change something. The board itself is read-only too. This check protects against
 * faults in the board.
 */
const readingOnly: RequestHandler = (request, response, next) => {
  if (request.method === 'GET' || request.method === 'HEAD') return next();
  response.status(405).set('allow', 'GET, HEAD').json({ error: 'the board is read-only' });
};

/**
 * Answers errors without details. By default Express answers with a page that contains the stack trace, and prints it.
 */
const inShort =
  (log: Logger): ErrorRequestHandler =>
  (error: { status?: unknown }, request, response, _next) => {
    const status = Number(error.status);
    const isTheirs = status >= 400 && status < 500;
    if (!isTheirs) log.error({ err: error, path: request.path }, 'request failed');
    if (response.headersSent) response.destroy();
    else if (isTheirs) response.status(status).json({ error: 'the request is not valid' });
    else response.status(500).json({ error: 'unexpected error; see the log of the dashboard' });
  };

/**
 * The security headers. The board of the queues sets styles on its elements, and the pages of the login contain a style
 * sheet. So these pages need `unsafe-inline` for styles. All scripts are files from this server.
 */
function securityHeaders(): RequestHandler[] {
  const [ofPages, ofBoard] = [policy(["'self'"]), policy(["'self'", "'unsafe-inline'"])];
  const fitting: RequestHandler = (request, response, next) => {
    const hasInlineStyles = request.path.startsWith(BOARD_PATH) || /^\/login(\/|$)/.test(request.path);
    return (hasInlineStyles ? ofBoard : ofPages)(request, response, next);
  };
  const withoutCaching: RequestHandler = (request, response, next) => {
    if (!request.path.startsWith(`${BOARD_PATH}/static/`)) response.set('cache-control', 'no-store');
    next();
  };
  return [fitting, withoutCaching];
}

function policy(styleSrc: string[]): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc,
        imgSrc: ["'self'", 'data:'],
        fontSrc: ["'self'"],
        connectSrc: ["'self'"],
        baseUri: ["'self'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    referrerPolicy: { policy: 'same-origin' },
    xFrameOptions: { action: 'deny' },
    // This header has no effect over plain HTTP. The proxy that terminates TLS has to send it.
    strictTransportSecurity: false,
  });
}
