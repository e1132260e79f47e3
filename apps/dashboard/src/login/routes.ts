import { type Logger, verifyPassword } from '@replenish/runtime';
import { type Request, type RequestHandler, type Response, Router, urlencoded } from 'express';
import { ipKeyGenerator, rateLimit } from 'express-rate-limit';
import { type LoginFault, loginPage } from './page.js';
import { SESSION_MS, type Sessions } from './sessions.js';

const COOKIE = 'replenish_session';
const FAILURES_PER_MINUTE = 5;

type LoginDeps = Readonly<{ passwordHash: string; sessions: Sessions; log: Logger; home: string }>;

/** `/login` and `/logout`. */
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
  // A link may sign out: with SameSite=Strict a request that another site caused carries no session to end.
  router.all('/logout', (request, response) => {
    const session = sessionOf(request);
    if (sessions.isOpen(session)) response.clearCookie(COOKIE, cookieOptions(request));
    sessions.end(session);
    response.redirect(303, '/login');
  });
  return router;
}

/** A form that another site sends signs nobody in or out, whatever a browser makes of SameSite. */
const sentFromHere: RequestHandler = (request, response, next) => {
  if (request.method !== 'POST' || isSameOrigin(request)) return next();
  response.status(403).json({ error: 'the form was sent from another site' });
};

/** Browsers say it in one header or the other, and no page can change either; what sends neither is no browser. */
function isSameOrigin({ headers }: Request): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  return headers.origin === undefined || hostOf(headers.origin) === headers.host;
}

const hostOf = (origin: string): string | null => (URL.canParse(origin) ? new URL(origin).host : null);

/** Lets nobody past without a session: pages lead to the login, anything else is told 401. */
export const requireSession =
  (sessions: Sessions): RequestHandler =>
  (request, response, next) => {
    if (sessions.isOpen(sessionOf(request))) return next();
    if (request.method === 'GET' && request.headers.accept?.includes('text/html'))
      return response.redirect(303, '/login');
    response.status(401).json({ error: 'sign in first' });
  };

/** By the address of the connection, or of the client that a trusted proxy names: anybody else's header is made up. */
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

/** One hash takes 128 MiB for half a second: tries from many addresses must not add up. */
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
