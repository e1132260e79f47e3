import { Readable } from 'node:stream';
import { StatementFault, statementLines } from '@replenish/assembly';
import { invalid } from '../http/answers/problem.js';

// The parser takes a piece in one turn of the event loop.
const PIECE_BYTES = 65_536;

function* piecesOf(csv: Buffer): Generator<Buffer> {
  for (let from = 0; from < csv.length; from += PIECE_BYTES) yield csv.subarray(from, from + PIECE_BYTES);
}

/** Reads a statement to its end, before anything of it is stored. @throws Problem that names the line at fault */
export async function refuseUnreadable(csv: Buffer): Promise<void> {
  if (csv.length === 0) throw fault('the statement is empty');
  try {
    for await (const _ of statementLines(Readable.from(piecesOf(csv))));
  } catch (error) {
    throw error instanceof StatementFault ? fault(error.message) : error;
  }
}

const fault = (message: string) => invalid({ path: 'body', message });
