import { Readable } from 'node:stream';

// Alipay's files begin with a comment. In our own form `#` may begin the name of a line, such as "#1".
const COMMENT = '#';

/** A file as text. `hasComments`: lines that begin with # are no rows. */
export type DecodedFile = Readonly<{ text: Readable; hasComments: boolean }>;

/** Decodes a file that is UTF-8, or Alipay's in GB 18030. Its first piece decides. */
export async function decoded(csv: Readable): Promise<DecodedFile> {
  const pieces: AsyncIterator<Buffer | string> = csv[Symbol.asyncIterator]();
  const first = await pieces.next();
  const head = first.done ? Buffer.alloc(0) : Buffer.from(first.value);
  const hasComments = head
    .toString('latin1')
    .replace(/^\xEF\xBB\xBF/, '')
    .startsWith(COMMENT);
  const encoding = hasComments && !isUtf8(head) ? 'gb18030' : 'utf-8';
  const decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
  async function* texts(): AsyncGenerator<string> {
    yield decoder.decode(head, { stream: true });
    for (;;) {
      const { done, value } = await pieces.next();
      if (done) break;
      yield decoder.decode(Buffer.from(value), { stream: true });
    }
    yield decoder.decode();
  }
  return { text: Readable.from(texts()), hasComments };
}

/** Whether the bytes are the beginning of a text in UTF-8. The last character may be cut. */
function isUtf8(bytes: Buffer): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}
