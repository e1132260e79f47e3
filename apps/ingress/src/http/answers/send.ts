import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Response } from 'express';
import helmet from 'helmet';
import { callOf, done, type Observer } from '../call.js';

/**
 * The security headers of an API. Browsers must not run, frame or store an answer, and no other site may read it (no
 * CORS). Helmet gives the same headers for each answer, so it runs once.
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

/** Sets the headers of every answer on answers that `send` does not write, such as pages and files. */
export const setStandingHeaders: Observer = (_request, response) => {
  for (const [name, value] of security) response.setHeader(name, value);
  response.setHeader('x-correlation-id', callOf(response).correlationId);
  done(response);
};

/** Answers a text that does not change while the process runs. Caches may keep it for five minutes. */
export function sendCached(response: Response, type: string, text: string): void {
  response.setHeader('cache-control', 'public, max-age=300');
  response.setHeader('content-type', `${type}; charset=utf-8`);
  response.end(text);
}

/** Adds a header to the answer that `send` will write. It replaces an earlier one of the same name. */
export function addHeader(response: Response, name: string, value: string): void {
  const { headers } = callOf(response);
  let at = 0;
  while (at < headers.length && headers[at] !== name) at += 2;
  headers[at] = name;
  headers[at + 1] = value;
}

/**
 * Answers with all headers in one list. Headers that are set one by one cost a tenth of the memory that a request
 * allocates.
 */
export const send = (response: Response, status: number, contentType: string, body: string): void =>
  sendWith(securityFlat, response, status, contentType, body);

/** Answers a page for a browser. */
export const sendPage = (response: Response, status: number, html: string): void =>
  sendWith(pageSecurityFlat, response, status, 'text/html; charset=utf-8', html);

/**
 * Begins an answer whose length is not known yet. The body is written by the caller, which also says when the call is
 * done.
 * @param pageStyle for a page: the text of its own style sheet. Browsers apply no other one
 */
export function beginAnswer(response: Response, contentType: string, pageStyle?: string): void {
  const { correlationId, headers } = callOf(response);
  const standing = pageStyle === undefined ? securityFlat : ownStyleFlat(pageStyle);
  response.writeHead(
    200,
    standing.concat(['x-correlation-id', correlationId], headers, ['content-type', contentType]),
  );
}

function ownStyleFlat(style: string): string[] {
  const hash = createHash('sha256').update(style).digest('base64');
  return security.flatMap(([name, value]) => [
    name,
    name === 'content-security-policy' ? `${value};style-src 'sha256-${hash}';img-src data:` : value,
  ]);
}

function sendWith(
  standing: readonly string[],
  response: Response,
  status: number,
  contentType: string,
  body: string,
): void {
  const { correlationId, headers } = callOf(response);
  // `concat` allocates the list once. A literal with spreads grows it several times.
  const all = standing.concat(['x-correlation-id', correlationId], headers, [
    'content-type',
    contentType,
    'content-length',
    String(Buffer.byteLength(body)),
  ]);
  response.writeHead(status, all);
  response.end(body);
  done(response);
}
