import type { Request } from 'express';

export const SESSION_COOKIE = 'replenish_session';

export const cookieOptions = (request: Request) =>
  ({
    httpOnly: true,
    sameSite: 'strict',
    path: '/',
    secure: request.secure || request.headers['x-forwarded-proto'] === 'https',
  }) as const;

/** The value of a cookie of URL-safe letters. */
export const cookieOf = (request: Request, name: string): string | undefined =>
  new RegExp(`(?:^|;\\s*)${name}=([A-Za-z0-9_-]{1,2000})(?:;|$)`).exec(request.headers.cookie ?? '')?.[1];

export function secretOf(request: Request): string | undefined {
  const secret = cookieOf(request, SESSION_COOKIE);
  return secret?.length === 43 ? secret : undefined;
}
