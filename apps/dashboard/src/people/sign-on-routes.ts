import { SESSION_MS } from '@replenish/domain';
import { type Request, type RequestHandler, type Response, Router } from 'express';
import { languageOf } from '../pages/frame/words.js';
import { cookieOf, cookieOptions, SESSION_COOKIE, secretOf } from './cookies.js';
import { type LoginFault, loginPage } from './login-page.js';
import type { PeopleDeps } from './sign-in.js';
import { signedInPage } from './signed-in-page.js';
import type { Departure, SingleSignOn } from './single-sign-on.js';

const COOKIE = 'replenish_sign_on';
const PATH = '/login/sso';
// A person may have to type a password and a code at the provider.
const AWAY_MS = 600_000;

type SignOnDeps = PeopleDeps &
  Readonly<{ home: string; signOn: SingleSignOn; addressOf: (request: Request) => string }>;

/** The routes `/login/sso`, which sends the browser to the OpenID provider, and `/login/sso/return`. */
export function signOnRoutes(deps: SignOnDeps): Router {
  const { signOn, log } = deps;
  const router = Router();
  const unlessDown =
    (handle: (request: Request, response: Response) => Promise<unknown>): RequestHandler =>
    async (request, response) => {
      try {
        await handle(request, response);
      } catch (error) {
        log.warn({ err: error }, 'the OpenID provider does not answer');
        show(response, 502, 'provider_down');
      }
    };
  router.get(
    PATH,
    unlessDown(async (request, response) => {
      const { url, departure } = await signOn.depart();
      response.cookie(COOKIE, asText(departure), { ...onReturn(request), maxAge: AWAY_MS });
      response.redirect(303, url);
    }),
  );
  router.get(
    `${PATH}/return`,
    unlessDown(async (request, response) => {
      const departure = departureOf(request);
      // The data of a departure is used once only, so the cookie is deleted here.
      response.clearCookie(COOKIE, onReturn(request));
      if (!departure) return show(response, 401, 'not_departed');
      const vouched = await signOn.comeBack(request.originalUrl, departure);
      if (vouched.fate !== 'vouched') {
        log.warn({ ip: deps.addressOf(request), why: vouched.why }, 'single sign-on was refused');
        return show(response, vouched.fate === 'refused' ? 401 : 403, vouched.fate);
      }
      await enter(deps, request, response, vouched);
    }),
  );
  return router;
}

async function enter(
  { operators, log, home, addressOf }: SignOnDeps,
  request: Request,
  response: Response,
  vouched: Parameters<PeopleDeps['operators']['enter']>[0],
): Promise<void> {
  const result = await operators.enter(vouched);
  if (result.fate !== 'entered') {
    log.warn({ ip: addressOf(request), user: vouched.name }, `single sign-on was refused: ${result.fate}`);
    return show(response, 403, result.fate);
  }
  const { id, name, made } = result;
  // The session that the browser had before ends here, because an attacker may have planted it.
  const earlier = secretOf(request);
  if (earlier !== undefined) await operators.endSession(earlier);
  const secret = await operators.openSession(id);
  const reason = `by single sign-on, from ${addressOf(request)}`;
  await operators.file({
    actor: name,
    role: vouched.role,
    verb: 'sign_in',
    subject: `user ${name}`,
    reason,
  });
  log.info({ ip: addressOf(request), user: name }, 'signed in by single sign-on');
  response.cookie(SESSION_COOKIE, secret, { ...cookieOptions(request), maxAge: SESSION_MS });
  response.type('html').send(signedInPage(languageOf(request), home, made));
}

const show = (response: Response, status: number, fault: LoginFault): void =>
  void response
    .status(status)
    .type('html')
    .send(loginPage(languageOf(response.req), { fault, hasSignOn: true }));

// The provider's site sends the browser back. Browsers leave out cookies with SameSite=Strict on such a request, so
// this cookie is `lax`.
const onReturn = (request: Request) => ({ ...cookieOptions(request), sameSite: 'lax', path: PATH }) as const;

const asText = (departure: Departure): string => Buffer.from(JSON.stringify(departure)).toString('base64url');

function departureOf(request: Request): Departure | null {
  try {
    const { state, nonce, verifier } = JSON.parse(
      Buffer.from(cookieOf(request, COOKIE) ?? '', 'base64url').toString(),
    );
    const isWhole = [state, nonce, verifier].every((part) => typeof part === 'string' && part !== '');
    return isWhole ? { state, nonce, verifier } : null;
  } catch {
    return null;
  }
}
