import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Logger } from '@replenish/runtime';
import type { Response } from 'express';
import { callOf, done } from '../call.js';
import { beginAnswer } from './send.js';

export type Streamed = Readonly<{
  contentType: string;
  /** The text of the page's own style sheet. */
  pageStyle?: string;
  /** The body, made while the caller reads it. */
  pieces: AsyncIterable<string>;
}>;

/**
 * Answers a body of any length with the memory of one piece. The first piece is made before the status is sent, so a
 * failure until then is answered as a problem. A later one cuts the connection, so the caller sees that the body is not
 * complete.
 */
export async function sendStream(
  response: Response,
  { contentType, pageStyle, pieces }: Streamed,
  log: Logger,
): Promise<void> {
  const source = pieces[Symbol.asyncIterator]();
  const first = await source.next();
  beginAnswer(response, contentType, pageStyle);
  try {
    if (response.req.method === 'HEAD') response.end();
    else await pipeline(Readable.from(behind(first, source), { highWaterMark: 1 }), response);
  } catch (error) {
    const { correlationId, trace, isClosed } = callOf(response);
    if (!isClosed) log.error({ err: error, correlationId, ...trace }, 'an answer broke off');
  } finally {
    done(response);
  }
}

async function* behind(first: IteratorResult<string>, source: AsyncIterator<string>): AsyncGenerator<string> {
  try {
    for (let one = first; !one.done; one = await source.next()) yield one.value;
  } finally {
    // Ends the source early, if the reader has left before the end.
    await source.return?.();
  }
}
