import type { Request, RequestHandler } from 'express';
import { Problem } from './problem.js';

/**
 * Reads the whole body as its bytes. Beyond `bytesMax` nothing is kept and the sender is told at once, however much is
 * still to come: what follows is read and dropped until the server's own time limit.
 *
 * body-parser tells a sender only after the last byte, and took a twentieth of what a request costs.
 */
export const readBody =
  (bytesMax: number): RequestHandler =>
  (request, _response, next) => {
    const {
      'content-length': length,
      'transfer-encoding': transfer,
      'content-encoding': encoding,
    } = request.headers;
    if (length === undefined && transfer === undefined) return next();
    // What is read costs memory before anybody is known: only what takes a body gets one.
    if (request.method !== 'POST') return next(hasNoBody(request) ? undefined : unwanted());
    if (encoding !== undefined && !/^identity$/i.test(encoding)) return next(packed());
    if (Number(length) > bytesMax) return next(tooLarge());
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      const before = bytes;
      bytes += chunk.length;
      if (bytes <= bytesMax) chunks.push(chunk);
      else if (before <= bytesMax) next(tooLarge());
    });
    request.on('end', () => {
      if (bytes > bytesMax) return;
      request.body = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
      next();
    });
  };

/** Methods but GET and HEAD are answered by their routes: none takes them. */
const hasNoBody = ({ method, headers }: Request): boolean =>
  (method !== 'GET' && method !== 'HEAD') || headers['content-length'] === '0';

const unwanted = (): Problem =>
  new Problem('INVALID_ARGUMENT', 'GET and HEAD take no body: write what is asked for into the query');

const tooLarge = (): Problem => new Problem('INVALID_ARGUMENT', 'the body is too large', { status: 413 });

const packed = (): Problem =>
  new Problem('INVALID_ARGUMENT', 'send the body without Content-Encoding', { status: 415 });
