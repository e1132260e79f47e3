import { Agent, request } from 'undici';
import { type Entry, fromBufferPromise, type ZipFile } from 'yauzl';
import type { NoDefiniteAnswer } from '../contract/order.js';
import type { ProviderLine } from '../contract/statement.js';
import { type ReadBill, readBill } from './bill.js';

// 64 MB of text are some 250,000 rows. Their lines take about twice as much.
const ZIP_MAX_BYTES = 16 * 1024 * 1024;
const TEXT_MAX_BYTES = 64 * 1024 * 1024;
// A bill has two files. More than a few are no bill.
const FILES_MAX = 16;

/** `too_long`: the bill is larger than what is read at once. */
export type FetchedBill =
  | Readonly<{ kind: 'read'; lines: readonly ProviderLine[]; httpStatus: number }>
  | Readonly<{ kind: 'too_long'; httpStatus: number }>
  | Readonly<{ kind: 'failed'; outcome: NoDefiniteAnswer; httpStatus: number | null }>;

export interface BillFiles {
  /** Fetches and reads the bill at an address that Alipay gave. Never throws. */
  fetch(address: unknown, signal: AbortSignal): Promise<FetchedBill>;
  close(): Promise<void>;
}

/** @param endpoint the address of the API, whose own host may serve bills, too */
export function openBillFiles(endpoint: string): BillFiles {
  const agent = new Agent({ connections: 1 });
  return {
    async fetch(address, signal) {
      const url = urlOf(address, endpoint);
      if (url === null) return failed('unreadable', null);
      let httpStatus: number | null = null;
      try {
        // The request follows no redirect, so nothing is fetched from an address that was not checked.
        const answer = await request(url, { dispatcher: agent, signal });
        httpStatus = answer.statusCode;
        if (httpStatus !== 200) {
          await answer.body.dump();
          return failed(httpStatus >= 500 ? 'server_error' : 'unreadable', httpStatus);
        }
        const zip = await bytesOf(answer.body);
        const bill = zip === null ? 'too_long' : await billIn(zip).catch(() => 'malformed' as const);
        if (bill === 'too_long') return { kind: 'too_long', httpStatus };
        if (bill === 'malformed' || bill === 'other') return failed('unreadable', httpStatus);
        return { kind: 'read', lines: bill, httpStatus };
      } catch {
        return failed(signal.aborted ? 'timeout' : 'disconnected', httpStatus);
      }
    },
    close: () => agent.destroy(),
  };
}

type Cause = Extract<NoDefiniteAnswer, { kind: 'unknown' }>['cause'];

const failed = (cause: Cause, httpStatus: number | null): FetchedBill => ({
  ...{ kind: 'failed', outcome: { kind: 'unknown', cause, code: 'bill_file' }, httpStatus },
});

/**
 * The address to fetch. Null: the address is not Alipay's. Only hosts below alipay.com count as Alipay's, and the host
 * of the API, so that a simulator can stand in for Alipay. Alipay's documents show addresses without TLS, but its hosts
 * take TLS as well. TLS is used, because a bill names payers.
 */
function urlOf(address: unknown, endpoint: string): URL | null {
  if (typeof address !== 'string' || !URL.canParse(address)) return null;
  const url = new URL(address);
  if (url.username !== '' || url.password !== '') return null;
  if (url.origin === new URL(endpoint).origin) return url;
  if (!url.hostname.endsWith('.alipay.com') || url.port !== '') return null;
  if (url.protocol === 'http:') url.protocol = 'https:';
  return url.protocol === 'https:' ? url : null;
}

/** The bytes of an answer. Null: it is too long. */
async function bytesOf(body: AsyncIterable<Uint8Array>): Promise<Buffer | null> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body) {
    length += piece.length;
    if (length > ZIP_MAX_BYTES) return null;
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/**
 * The list of trades in the archive. The names of the files are in GBK and differ per account, so each file is told by
 * its content.
 */
async function billIn(zip: Buffer): Promise<ReadBill | 'too_long'> {
  const archive = await fromBufferPromise(zip, { lazyEntries: true, decodeStrings: false });
  if (archive.entryCount > FILES_MAX) return 'malformed';
  for await (const entry of archive.eachEntry()) {
    const bill = await fileIn(archive, entry);
    if (bill !== 'other') return bill;
  }
  return 'malformed';
}

async function fileIn(archive: ZipFile, entry: Entry): Promise<ReadBill | 'too_long'> {
  if (entry.uncompressedSize > TEXT_MAX_BYTES) return 'too_long';
  // The stream ends with an error when the file has another size than the archive says.
  return readBill(await archive.openReadStreamPromise(entry));
}
