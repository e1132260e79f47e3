import type { Request, Response } from 'express';
import { stringify } from 'lossless-json';
import { callOf } from '../call.js';
import { withoutParameters } from '../media-type.js';
import { type ProblemBody, problemPage } from './problem-page.js';
import { addHeader, send, sendPage } from './send.js';
import { writeXml } from './xml-write.js';

export type Form = 'json' | 'xml' | 'csv' | 'html';

/** The form for each media type that Accept may name. The first type of a form is preferred. */
const formOf: Readonly<Record<string, Form>> = {
  'application/json': 'json',
  'application/problem+json': 'json',
  'application/xml': 'xml',
  'text/xml': 'xml',
  'application/problem+xml': 'xml',
  'text/csv': 'csv',
  'text/html': 'html',
  'application/xhtml+xml': 'html',
};

const everywhere = Object.keys(formOf).filter((type) => formOf[type] !== 'csv');

/**
 * The form that the caller prefers. It is JSON when Accept names none of our types, since 406 would be of no use to the
 * caller. Browsers also accept XML but prefer HTML. They would offer an answer in XML as a download, so they get no
 * XML.
 */
export function preferredForm(request: Request, options: { csv?: boolean } = {}): Form {
  const { accept } = request.headers;
  if (!accept) return 'json';
  const asked = { headers: { accept: withoutParameters(accept) } };
  const accepts: (types: string[]) => string | false = request.accepts.bind(asked);
  const type = accepts(options.csv ? Object.keys(formOf) : everywhere);
  return (type && formOf[type]) || 'json';
}

/**
 * Answers in the form that the caller prefers. `root` is the root element of the XML form. `json` writes the JSON form.
 * `exactJson` is for a body with bigints.
 */
export function answer(
  request: Request,
  response: Response,
  root: string,
  body: unknown,
  {
    status = 200,
    json = JSON.stringify,
  }: Readonly<{ status?: number; json?: (body: unknown) => string }> = {},
): void {
  const { hold } = callOf(response);
  if (hold) {
    hold({ status, root, body, json });
    return;
  }
  const isXml = preferredForm(request) === 'xml';
  addHeader(response, 'vary', 'accept');
  const type = `application/${isXml ? 'xml' : 'json'}; charset=utf-8`;
  send(response, status, type, isXml ? writeXml(root, body) : json(body));
}

/** Answers that all is done, without a body. */
export function answerNothing(response: Response): void {
  const { hold } = callOf(response);
  if (hold) hold({ status: 204, root: null, body: null, json: JSON.stringify });
  else send(response, 204, 'text/plain', '');
}

/** Answers a problem (RFC 9457) in the form that the caller prefers. Problems have media types of their own. */
export function answerProblem(request: Request, response: Response, body: ProblemBody): void {
  const form = preferredForm(request);
  addHeader(response, 'vary', 'accept');
  if (form === 'html') sendPage(response, body.status, problemPage(body));
  else if (form === 'xml') send(response, body.status, 'application/problem+xml', writeXml('problem', body));
  else send(response, body.status, 'application/problem+json', JSON.stringify(body));
}

/** JSON with bigints as plain digits, because balances may be larger than 2^53. */
export const exactJson = (body: unknown): string => stringify(body) ?? '';
