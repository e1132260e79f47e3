import { escapeHtml, pageHead, pageHeader } from '@replenish/runtime';
import type { Request, RequestHandler, Response } from 'express';
import { assetAddress } from '../pages/frame/assets.js';
import { documentLanguage, languageOf, type Say, sayIn } from '../pages/frame/words.js';

const refusals = {
  INVALID_ARGUMENT: { status: 400, title: 'Not a valid request' },
  UNAUTHENTICATED: { status: 401, title: 'Sign in first' },
  UNAUTHORIZED: { status: 403, title: 'Not allowed' },
  NOT_FOUND: { status: 404, title: 'Not found' },
  INVALID_STATE: { status: 409, title: 'Too late' },
  RATE_LIMITED: { status: 429, title: 'Wait a minute' },
} as const;

export type RefusalCode = keyof typeof refusals;

/** Codes that have words of their own. A list names alternatives. */
type RefusalValues = Readonly<Record<string, string | readonly string[]>>;

/**
 * Answers a refusal: a page for a person with a browser, problem+json (RFC 9457) for everything else.
 * @param detail a sentence in English, in which `{name}` stands for the value of that name
 */
export function refuse(
  request: Request,
  response: Response,
  code: RefusalCode,
  detail: string,
  values: RefusalValues = {},
): void {
  const { status, title } = refusals[code];
  if (wantsPage(request))
    response
      .status(status)
      .type('html')
      .send(page(request, title, detail, values));
  else
    response
      .status(status)
      .type('application/problem+json')
      .send(
        JSON.stringify({
          type: 'about:blank',
          title,
          status,
          detail: sentenceOf(detail, values, sayIn('en')),
          code,
        }),
      );
}

const sentenceOf = (detail: string, values: RefusalValues, say: Say): string =>
  say(
    detail,
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => [
        name,
        [value]
          .flat()
          .map((one) => say(one))
          .join(say(' or ')),
      ]),
    ),
  );

/** Answers requests that no route has taken. */
export const refuseUnknown: RequestHandler = (request, response) =>
  refuse(request, response, 'NOT_FOUND', 'there is no such page');

/** Whether a browser shows the answer as a page. */
export const wantsPage = (request: Request): boolean =>
  !request.path.startsWith('/v1/') && (request.headers.accept?.includes('text/html') ?? false);

function page(request: Request, title: string, detail: string, values: RefusalValues): string {
  const language = languageOf(request);
  const say = sayIn(language);
  const form = formOf(request);
  return `<!doctype html>
<html lang="${documentLanguage(language)}">
<head>
${pageHead(say(title))}
<link rel="stylesheet" href="${assetAddress('console.css')}">
</head>
<body>
${pageHeader('/', say('console'))}
<main>
<h1>${escapeHtml(say(title))}</h1>
<p class="alarm" role="alert">${escapeHtml(sentenceOf(detail, values, say))}</p>
<p class="verbs">${form === null ? '' : `<a class="button" href="${escapeHtml(form)}">${escapeHtml(say('Back to the form'))}</a> `}<a class="button" href="/">${escapeHtml(say('Back to the console'))}</a></p>
</main>
</body>
</html>
`;
}

/** The address of the page whose form was refused. Null: no form of ours was sent. */
function formOf({ method, headers: { referer, host } }: Request): string | null {
  if (method !== 'POST' || referer === undefined || !URL.canParse(referer)) return null;
  const from = new URL(referer);
  return from.host === host ? `${from.pathname}${from.search}` : null;
}
