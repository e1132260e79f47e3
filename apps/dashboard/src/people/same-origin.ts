import type { Request, RequestHandler } from 'express';
import { refuse } from './refusal.js';

/** Refuses requests from other sites that would change something, even if the browser does not support SameSite. */
export const sentFromHere: RequestHandler = (request, response, next) => {
  if (request.method === 'GET' || request.method === 'HEAD' || isSameOrigin(request)) return next();
  refuse(request, response, 'UNAUTHORIZED', 'the form was sent from another site');
};

/**
 * Whether a request comes from our own pages. Browsers send Sec-Fetch-Site or Origin, and pages cannot change either
 * header. A client that sends neither is not a browser.
 */
function isSameOrigin({ headers }: Request): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
  return headers.origin === undefined || hostOf(headers.origin) === headers.host;
}

const hostOf = (origin: string): string | null => (URL.canParse(origin) ? new URL(origin).host : null);
