import type { Request } from 'express';
import { Problem } from '../../http/answers/problem.js';
import { callOf } from '../../http/call.js';
import { essenceOf, isInUtf8 } from '../../http/media-type.js';
import { parseJson } from './json-body.js';
import { parseXml } from './xml-read.js';

/**
 * Parses the body: JSON, or XML with this root element. Both forms give the same value.
 * @throws Problem INVALID_ARGUMENT
 */
export function parsedBody(request: Request, root: string): unknown {
  const type = bodyType(request);
  const raw = rawBody(request);
  const body = type === JSON_TYPE ? parseJson(raw) : parseXml(raw, root);
  callOf(request.res!).read = body;
  return body;
}

/** The bytes of a body in CSV. Null: it has another form. @throws Problem 415 for another character set than UTF-8 */
export function csvBody(request: Request): Buffer | null {
  const sent = request.headers['content-type'] ?? '';
  if (essenceOf(sent) !== 'text/csv') return null;
  if (!isInUtf8(sent)) throw unreadable('bodies are UTF-8; send no other charset');
  return Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
}

const JSON_TYPE = 'application/json';

export const rawBody = ({ body }: Request): Buffer => (Buffer.isBuffer(body) ? body : Buffer.alloc(0));

const CSV_TYPE = 'text/csv';

/** The form of the body of an operation that also takes CSV. @throws Problem 415 for every other form */
export function formOfBody(request: Request): 'json' | 'xml' | 'csv' {
  if (essenceOf(request.headers['content-type'] ?? '') === CSV_TYPE) return 'csv';
  return bodyType(request, `, application/xml or ${CSV_TYPE}`) === JSON_TYPE ? 'json' : 'xml';
}

/** @throws Problem 415 unless the body is JSON or XML in UTF-8 */
function bodyType(request: Request, others = ' or application/xml'): string {
  const sent = request.headers['content-type'] ?? '';
  if (sent === JSON_TYPE) return sent;
  const type = essenceOf(sent);
  if (![JSON_TYPE, 'application/xml', 'text/xml'].includes(type))
    throw unreadable(`send Content-Type: application/json${others}`);
  if (!isInUtf8(sent)) throw unreadable('bodies are UTF-8; send no other charset');
  return type;
}

const unreadable = (why: string): Problem => new Problem('INVALID_ARGUMENT', why, { status: 415 });
