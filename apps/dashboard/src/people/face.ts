import { createHmac } from 'node:crypto';
import { mayAs, type OperatorRole, type SignedIn } from '@replenish/domain';
import { isSameText } from '@replenish/runtime';
import type { Request, RequestHandler, Response } from 'express';
import { refuse } from './refusal.js';

/** The person who sent a request, with the name and role that the person has now. */
export type CurrentUser = Readonly<{ name: string; role: OperatorRole }>;

/** What is known of a request with a session. */
export type OpenSession = Readonly<{
  secret: string;
  person: SignedIn;
  /** Uses up a fresh code of the person. `closed`: too many wrong ones. */
  useCode(code: string): Promise<'right' | 'wrong' | 'closed'>;
}>;

const sessions = new WeakMap<object, OpenSession>();

export const keepSession = (request: Request, session: OpenSession): unknown =>
  sessions.set(request, session);
export const sessionOf = (request: Request): OpenSession | null => sessions.get(request) ?? null;

/** The person who is signed in. Null if nobody is. */
export function currentUser(request: Request): CurrentUser | null {
  const session = sessionOf(request);
  return session && { name: session.person.name, role: session.person.role };
}

/** Lets people of any of these roles pass, and admins. The role that the person has now counts. */
export const requireRole =
  (...roles: readonly OperatorRole[]): RequestHandler =>
  (request, response, next) => {
    const user = currentUser(request);
    if (!user) return refuse(request, response, 'UNAUTHENTICATED', 'sign in first');
    if (roles.some((role) => mayAs(user.role, role))) return next();
    refuse(request, response, 'UNAUTHORIZED', 'your role is {role}; this needs {roles}', {
      ...{ role: user.role, roles },
    });
  };

export const CSRF_FIELD = '_csrf';
export const CSRF_HEADER = 'x-csrf-token';

/**
 * The token that forms carry in the field `_csrf`, and scripts in the header `X-CSRF-Token`. It is derived from the
 * session, so another session's token does not serve. Empty without a session.
 */
export function csrfToken(request: Request): string {
  const session = sessionOf(request);
  return session ? tokenOf(session.secret) : '';
}

export const tokenOf = (secret: string): string =>
  createHmac('sha256', secret).update('replenish console form').digest('base64url');

/** Refuses a request that changes something and does not carry the token of its session. */
export const requireCsrf: RequestHandler = (request, response, next) => {
  const given: unknown = request.headers[CSRF_HEADER] ?? bodyOf(request)[CSRF_FIELD];
  const wanted = csrfToken(request);
  if (wanted !== '' && typeof given === 'string' && isSameText(given, wanted)) return next();
  refuse(
    request,
    response,
    'UNAUTHORIZED',
    'the token of the form is missing or of another session: reload the page',
  );
};

export const CODE_HEADER = 'x-totp-code';

/** Lets a request pass whose field `code`, or header `X-TOTP-Code`, is a code that was not used before. */
export const requireFreshCode: RequestHandler = async (request, response, next) => {
  const session = sessionOf(request);
  if (!session) return refuse(request, response, 'UNAUTHENTICATED', 'sign in first');
  const code: unknown = request.headers[CODE_HEADER] ?? bodyOf(request).code;
  if (typeof code !== 'string' || code.trim() === '')
    return refuse(request, response, 'UNAUTHORIZED', 'a fresh code of your authenticator is needed');
  const used = await session.useCode(code.trim());
  if (used === 'right') return next();
  if (used === 'closed') return refuseClosed(request, response);
  refuse(request, response, 'UNAUTHORIZED', 'the code is wrong or was used before: wait for the next one');
};

/** Refuses an attempt of a person or an address that has used up its attempts of the minute. */
export function refuseClosed(request: Request, response: Response): void {
  response.set('retry-after', '60');
  refuse(request, response, 'RATE_LIMITED', 'too many wrong attempts: wait a minute');
}

/** The fields of a form or of a JSON body. */
export const bodyOf = (request: Request): Readonly<Record<string, unknown>> =>
  typeof request.body === 'object' && request.body !== null && !Array.isArray(request.body)
    ? request.body
    : {};
