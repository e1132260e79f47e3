import { SESSION_MS } from '@replenish/domain';
import { type Request, type RequestHandler, type Response, Router } from 'express';
import { ipKeyGenerator } from 'express-rate-limit';
import { keepLanguage, languageOf } from '../pages/frame/words.js';
import { cookieOptions, SESSION_COOKIE, secretOf } from './cookies.js';
import { bodyOf, csrfToken, currentUser, keepSession, refuseClosed, sessionOf, tokenOf } from './face.js';
import { type LoginFault, loginPage } from './login-page.js';
import { refuse, wantsPage } from './refusal.js';
import { type Given, type PeopleDeps, type SignInResult, signer, subjectsOf } from './sign-in.js';
import { signOnRoutes } from './sign-on-routes.js';
import type { SingleSignOn } from './single-sign-on.js';

/** Finds the session of a request. It must run before every route that asks for the person. */
export const findSession =
  ({ operators }: PeopleDeps): RequestHandler =>
  async (request, _response, next) => {
    const secret = secretOf(request);
    const person = secret === undefined ? null : await operators.signedIn(secret);
    if (secret !== undefined && person) {
      const subjects = subjectsOf({ name: person.name, address: addressOf(request) });
      const useCode = async (code: string): Promise<'right' | 'wrong' | 'closed'> => {
        if (!(await operators.beginAttempt(subjects))) return 'closed';
        if (!(await operators.useCode(person.id, code))) return 'wrong';
        await operators.forgiveAttempt(subjects);
        return 'right';
      };
      keepSession(request, { secret, person, useCode });
    }
    next();
  };

type LoginDeps = PeopleDeps &
  Readonly<{
    home: string;
    /** Null: people sign in with a password only. */
    signOn: SingleSignOn | null;
  }>;

/** The routes `/login`, `/logout` and `/v1/session`. */
export function loginRoutes(deps: LoginDeps): Router {
  const { operators, home, signOn } = deps;
  const showLogin: ShowLogin = (response, status, fault) =>
    void response
      .status(status)
      .type('html')
      .send(loginPage(languageOf(response.req), { fault, hasSignOn: signOn !== null }));
  const answerSignIn = answererOf(home, showLogin);
  const signIn = signer(deps);
  const router = Router();
  if (signOn) router.use(signOnRoutes({ ...deps, signOn, addressOf }));
  router.get('/login', (request, response) => {
    keepLanguage(request, response);
    showLogin(response, 200);
  });
  router.post('/login', async (request, response) => {
    const given = givenIn(request);
    if (!given) return answerSignIn(request, response, { ok: false, because: 'wrong' });
    const result = await signIn(given);
    // The session that the browser had before ends here. So a session that an attacker planted is of no use.
    const earlier = secretOf(request);
    if (result.ok && earlier !== undefined) await operators.endSession(earlier);
    answerSignIn(request, response, result);
  });
  // GET may sign out, so that a link can do it. With SameSite=Strict a request from another site carries no session
  // cookie, so it ends no session.
  router.all('/logout', async (request, response) => {
    const session = sessionOf(request);
    if (session) {
      await operators.endSession(session.secret);
      const { name, role } = session.person;
      await operators.file({
        actor: name,
        role,
        verb: 'sign_out',
        subject: `user ${name}`,
        reason: 'signed out',
      });
      response.clearCookie(SESSION_COOKIE, cookieOptions(request));
    }
    response.redirect(303, '/login');
  });
  router.get('/v1/session', requireSession, (request, response) => {
    const user = currentUser(request)!;
    response.json({ user: user.name, role: user.role, csrfToken: csrfToken(request) });
  });
  return router;
}

/** Requires a session. Without one, requests for pages are redirected to the login, other requests get a 401. */
export const requireSession: RequestHandler = (request, response, next) => {
  if (sessionOf(request)) return next();
  if (request.method === 'GET' && wantsPage(request)) return response.redirect(303, '/login');
  refuse(request, response, 'UNAUTHENTICATED', 'sign in first');
};

type ShowLogin = (response: Response, status: number, fault?: LoginFault) => void;

const answererOf =
  (home: string, showLogin: ShowLogin) =>
  (request: Request, response: Response, result: SignInResult): void => {
    if (result.ok)
      response.cookie(SESSION_COOKIE, result.secret, { ...cookieOptions(request), maxAge: SESSION_MS });
    else if (result.because === 'closed') response.set('retry-after', '60');
    if (request.is('json')) answerInJson(request, response, result);
    else if (result.ok) response.redirect(303, home);
    else if (result.because === 'closed') showLogin(response, 429, 'too_many');
    else showLogin(response, 401, 'wrong');
  };

function answerInJson(request: Request, response: Response, result: SignInResult): void {
  if (result.ok) response.json({ user: result.name, role: result.role, csrfToken: tokenOf(result.secret) });
  else if (result.because === 'closed') refuseClosed(request, response);
  else refuse(request, response, 'UNAUTHENTICATED', 'wrong name, password or code');
}

function givenIn(request: Request): Given | null {
  const { username, password, code = '' } = bodyOf(request);
  if (typeof username !== 'string' || typeof password !== 'string' || typeof code !== 'string') return null;
  if (username === '' || password.length > 1_000) return null;
  return { name: username, password, code: code.trim(), address: addressOf(request) };
}

/**
 * The address that attempts are limited by. It is that of the connection, or the one that a trusted proxy reports.
 * Headers from other senders are ignored, because they may be forged. IPv6 addresses count by their network.
 */
const addressOf = ({ ip, socket }: Request): string => ipKeyGenerator(ip ?? socket.remoteAddress ?? '');
