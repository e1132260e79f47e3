import type { Request, RequestHandler, Response } from 'express';
import type { Html } from './html.js';
import { layout } from './layout.js';
import type { ConsoleUser, People, Role } from './people.js';
import { keepLanguage, type Language, languageOf, type Say, sayIn } from './words.js';

/** What a page needs to know about its call. */
export type PageCall = Readonly<{
  request: Request;
  response: Response;
  user: ConsoleUser;
  say: Say;
  language: Language;
  /** A text of the query or null. A parameter that is given twice counts as not given. */
  asked: (name: string) => string | null;
  /** A field of the form, trimmed. Empty if it is missing. */
  sent: (name: string) => string;
  csrf: string;
  needsCode: boolean;
  now: Date;
}>;

export type ShownPage = Readonly<{
  title: string;
  body: Html;
  status?: number;
  /** Whether the script reloads the page at intervals. A page with a form is not reloaded. */
  isLive?: boolean;
}>;

/** What all pages share. */
export type ConsoleFrame = Readonly<{ people: People; environment: string; now: () => Date }>;

/** A handler that shows what `write` returns. Null: `write` has answered by itself. */
export const showing =
  (frame: ConsoleFrame, write: (call: PageCall) => Promise<ShownPage | null>): RequestHandler =>
  async (request, response) => {
    const call = callOf(frame, request, response);
    if (!call) return response.redirect(303, '/login');
    keepLanguage(request, response);
    const page = await write(call);
    if (page) send(frame, call, page);
  };

function send({ environment }: ConsoleFrame, call: PageCall, page: ShownPage): void {
  const { response, request, user, say, language, csrf } = call;
  const text = layout({
    ...page,
    environment,
    user,
    say,
    language,
    csrf,
    path: request.path,
    url: request.originalUrl,
  });
  response
    .status(page.status ?? 200)
    .set('vary', 'Cookie, Accept-Language')
    .type('html')
    .send(text);
}

function callOf({ people, now }: ConsoleFrame, request: Request, response: Response): PageCall | null {
  const user = people.currentUser(request);
  if (!user) return null;
  const language = languageOf(request);
  return {
    ...{ request, response, user, language, say: sayIn(language), now: now() },
    asked: (name) => textIn(request.query[name]),
    sent: (name) => (textIn((request.body as Record<string, unknown> | undefined)?.[name]) ?? '').trim(),
    csrf: people.csrfToken(request),
    needsCode: people.needsCode(request),
  };
}

const textIn = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

/** Whether a person may do what the role may. */
export const may = ({ user }: Pick<PageCall, 'user'>, role: Role): boolean =>
  user.role === role || user.role === 'admin';
