import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Response } from 'express';
import helmet from 'helmet';
import { callOf, done, type Observer } from './call.js';

/**
 * For an API: nothing of an answer is run, framed or kept by a browser, and no other site's page may read it (no CORS).
 * Helmet says the same of every answer, so it is asked once.
 */
function securityHeaders(): [string, string][] {
  const headers = new Map([['cache-control', 'no-store']]);
  const answer = {
    setHeader: (name: string, value: string) => headers.set(name.toLowerCase(), value),
    removeHeader: (name: string) => headers.delete(name.toLowerCase()),
  };
  const policy = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    },
    xFrameOptions: { action: 'deny' },
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
  });
  policy({} as IncomingMessage, answer as unknown as ServerResponse, () => {});
  return [...headers];
}

const security = securityHeaders();
const securityFlat = security.flat();

/** A page for people may also load its style sheet and draw its icon. */
const pageSecurityFlat = security.flatMap(([name, value]) => [
  name,
  name === 'content-security-policy' ? `${value};style-src 'self';img-src data:` : value,
]);

/** For answers that others write, page by page or from files. */
export const setStandingHeaders: Observer = (_request, response) => {
  for (const [name, value] of security) response.setHeader(name, value);
  response.setHeader('x-correlation-id', callOf(response).correlationId);
  done(response);
};

/** A text that never changes while the process runs: anybody may read it and keep it for five minutes. */
export function sendCached(response: Response, type: string, text: string): void {
  response.setHeader('cache-control', 'public, max-age=300');
  response.setHeader('content-type', `${type}; charset=utf-8`);
  response.end(text);
}

/** A header of the answer that `send` will write, in place of an earlier one of its name. */
export function addHeader(response: Response, name: string, value: string): void {
  const { headers } = callOf(response);
  let at = 0;
  while (at < headers.length && headers[at] !== name) at += 2;
  headers[at] = name;
  headers[at + 1] = value;
}

/**
 * Answers. All headers in one list: set one by one, Node keeps them in a dictionary that it writes from, which was a
 * tenth of all that a request allocated.
 */
export const send = (response: Response, status: number, contentType: string, body: string): void =>
  sendWith(securityFlat, response, status, contentType, body);

/** The same for a page that a person sees in a browser. */
export const sendPage = (response: Response, status: number, html: string): void =>
  sendWith(pageSecurityFlat, response, status, 'text/html; charset=utf-8', html);

function sendWith(
  standing: readonly string[],
  response: Response,
  status: number,
  contentType: string,
  body: string,
): void {
  const { correlationId, headers } = callOf(response);
  response.writeHead(status, [
    ...standing,
    'x-correlation-id',
    correlationId,
    ...headers,
    'content-type',
    contentType,
    'content-length',
    String(Buffer.byteLength(body)),
  ]);
  response.end(body);
  done(response);
}
