import type { Request, Response } from 'express';
import { stringify } from 'lossless-json';
import { withoutParameters } from './media-type.js';
import { addHeader, send } from './send.js';
import { writeXml } from './xml-write.js';

export type Form = 'json' | 'xml' | 'csv';

/** Media types by what a caller may name in Accept. The first one of a form is the one that is preferred. */
const formOf: Readonly<Record<string, Form>> = {
  'application/json': 'json',
  'application/problem+json': 'json',
  'application/xml': 'xml',
  'text/xml': 'xml',
  'application/problem+xml': 'xml',
  'text/csv': 'csv',
};

const everywhere = Object.keys(formOf).filter((type) => formOf[type] !== 'csv');

/** The form that the caller likes best. Whoever likes none of ours is answered in JSON: a 406 helps nobody. */
export function preferredForm(request: Request, options: { csv?: boolean } = {}): Form {
  const { accept } = request.headers;
  if (!accept) return 'json';
  const asked = { headers: { accept: withoutParameters(accept) } };
  const accepts: (types: string[]) => string | false = request.accepts.bind(asked);
  const type = accepts(options.csv ? Object.keys(formOf) : everywhere);
  return (type && formOf[type]) || 'json';
}

/**
 * Answers in the form that the caller prefers. `root` is the root element of the XML form; `json` writes the other
 * one, `exactJson` where it may hold a bigint.
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
  const isXml = preferredForm(request) === 'xml';
  addHeader(response, 'vary', 'accept');
  const type = `application/${isXml ? 'xml' : 'json'}; charset=utf-8`;
  send(response, status, type, isXml ? writeXml(root, body) : json(body));
}

/** The same for a problem of RFC 9457, which has media types of its own. */
export function answerProblem(
  request: Request,
  response: Response,
  body: Readonly<{ status: number } & Record<string, unknown>>,
): void {
  const isXml = preferredForm(request) === 'xml';
  addHeader(response, 'vary', 'accept');
  const type = `application/problem+${isXml ? 'xml' : 'json'}`;
  send(response, body.status, type, isXml ? writeXml('problem', body) : JSON.stringify(body));
}

/** Balances may pass 2^53: they are written as the digits they are, not through a float. */
export const exactJson = (body: unknown): string => stringify(body) ?? '';
