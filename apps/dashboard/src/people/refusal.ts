import { escapeHtml, pageHead, pageHeader, pageLook } from '@replenish/runtime';
import type { Request, Response } from 'express';

const refusals = {
  INVALID_ARGUMENT: { status: 400, title: 'Not a valid request' },
  UNAUTHENTICATED: { status: 401, title: 'Sign in first' },
  UNAUTHORIZED: { status: 403, title: 'Not allowed' },
  NOT_FOUND: { status: 404, title: 'Not found' },
  INVALID_STATE: { status: 409, title: 'Too late' },
  RATE_LIMITED: { status: 429, title: 'Wait a minute' },
} as const;

export type RefusalCode = keyof typeof refusals;

/** Answers a refusal: a page for a person with a browser, problem+json (RFC 9457) for everything else. */
export function refuse(request: Request, response: Response, code: RefusalCode, detail: string): void {
  const { status, title } = refusals[code];
  if (wantsPage(request)) response.status(status).type('html').send(page(title, detail));
  else
    response
      .status(status)
      .type('application/problem+json')
      .send(JSON.stringify({ type: 'about:blank', title, status, detail, code }));
}

/** Whether a browser shows the answer as a page. */
export const wantsPage = (request: Request): boolean =>
  !request.path.startsWith('/v1/') && (request.headers.accept?.includes('text/html') ?? false);

const page = (title: string, detail: string): string => `<!doctype html>
<html lang="en">
<head>
${pageHead(title)}
<style>${pageLook}
  main { padding: 2rem; }
</style>
</head>
<body>
${pageHeader('/', 'console')}
<main>
<h1>${escapeHtml(title)}</h1>
<p role="alert">${escapeHtml(detail)}</p>
<p><a href="/">Back to the console</a></p>
</main>
</body>
</html>
`;
