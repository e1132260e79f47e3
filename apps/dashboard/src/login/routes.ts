import { type Logger, verifyPassword } from '@replenish/runtime';
import { type Request, type RequestHandler, type Response, Router, urlencoded } from 'express';
import { ipKeyGenerator, rateLimit } from 'express-rate-limit';
import { type LoginFault, loginPage } from './page.js';
import { SESSION_MS, type Sessions } from './sessions.js';

const COOKIE = 'replenish_session';
const FAILURES_PER_MINUTE = 5;

type LoginDeps = Readonly<{ passwordHash: string; sessions: Sessions; log: Logger; home: string }>;

/** The routes `/login` and `/logout`. */
export function loginRoutes({ passwordHash, sessions, log, home }: LoginDeps): Router {
  const verify = oneAtATime((password: string) => verifyPassword(password, passwordHash));
  const router = Router();
  router.use(['/login', '/logout'], sentFromHere);
  router.get('/login', (_request, response) => showLogin(response, 200));
  router.post(
    '/login',
    throttle(),
    urlencoded({ extended: false, limit: '4kb' }),
    async (request, response) => {
      const password: unknown = request.body?.password;
      if (typeof password !== 'string' || !(await verify(password))) {
        log.warn({ ip: request.ip }, 'wrong password');
        return showLogin(response, 401, 'wrong_password');
      }
      response.cookie(COOKIE, sessions.open(), { ...cookieOptions(request), maxAge: SESSION_MS });
      log.info({ ip: request.ip }, 'signed in');
      response.redirect(303, home);
    },
  );
  // GET may sign out, so that a link can do it. With SameSite=Strict a request from another site carries no session
  // cookie, so it ends no session.
  router.all('/logout', (request, response) => {
    const session = sessionOf(request);
    if (sessions.isOpen(session)) response.clearCookie(COOKIE, cookieOptions(request));
    sessions.end(session);
    response.redirect(303, '/login');
  });
  return router;
}

/** Refuses forms from other sites for sign-in and sign-out, even if the browser does not support SameSite. */
const sentFromHere: RequestHandler = (request, response, next) => {
  if (request.method !== 'POST' || isSameOrigin(request)) return next();
  response.status(403).json({ error: 'the form was sent from another site' });
};

/**
 * Whether a request comes from our own pages. Browsers send Sec-Fetch-Site or Origin, and pages cannot change either
 * header. A client that sends neither is not a browser.
 */
function isSameOrigin({ headers }: Request): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  return headers.origin === undefined || hostOf(headers.origin) === headers.host;
}

const hostOf = (origin: string): string | null => (URL.canParse(origin) ? new URL(origin).host : null);

/** Requires a session. Without one, requests for pages are redirected to the login, other requests get a 401. */
export const requireSession =
  (sessions: Sessions): RequestHandler =>
  (request, response, next) => {
    if (sessions.isOpen(sessionOf(request))) return next();
    if (request.method === 'GET' && request.headers.accept?.includes('text/html'))
      return response.redirect(303, '/login');
    response.status(401).json({ error: 'sign in first' });
  };

/**
 * Limits failed logins per client address. The address is that of the connection, or the one that a trusted proxy
 * reports. Headers from other senders are ignored, because they may be forged.
 */
const throttle = (): RequestHandler =>
  rateLimit({
    windowMs: 60_000,
    limit: FAILURES_PER_MINUTE,
    skipSuccessfulRequests: true,
    standardHeaders: 'draft-7',
    legacyHeaders: false,
    keyGenerator: ({ ip, socket }) => ipKeyGenerator(ip ?? socket.remoteAddress ?? ''),
    validate: { xForwardedForHeader: false, forwardedHeader: false },
    handler: (_request, response) => showLogin(response, 429, 'too_many'),
  });

/**
 * Runs the calls of `work` one after the other. One password check takes 128 MiB for half a second, so parallel
 * attempts from many addresses would exhaust the memory.
 */
function oneAtATime<A, R>(work: (argument: A) => Promise<R>): (argument: A) => Promise<R> {
  let last: Promise<unknown> = Promise.resolve();
  return (argument) => {
    const mine = last.then(() => work(argument));
    last = mine.catch(() => {});
    return mine;
  };
}

const showLogin = (response: Response, status: number, fault?: LoginFault): void => {
  response.status(status).type('html').send(loginPage(fault));
};

const cookieOptions = (request: Request) =>
  ({
    httpOnly: true,
    sameSite: 'strict',
    path: '/',
    secure: request.secure || request.headers['x-forwarded-proto'] === 'https',
  }) as const;

const sessionOf = (request: Request): string | undefined =>
  new RegExp(`(?:^|;\\s*)${COOKIE}=([A-Za-z0-9_-]{43})(?:;|$)`).exec(request.headers.cookie ?? '')?.[1];
