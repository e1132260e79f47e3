import { crc32, deflateRawSync } from 'node:zlib';

/** A file of an archive. `name`: its bytes as they are written. */
export type ZippedFile = Readonly<{ name: Buffer; bytes: Buffer }>;

const DEFLATED = 8;
const VERSION = 20;

/**
 * An archive of a few files. Alipay writes names in GBK without a mark of their encoding, and libraries write names in
 * UTF-8 only.
 */
export function zipped(files: readonly ZippedFile[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, bytes } of files) {
    const data = deflateRawSync(bytes);
    const about = fields(
      [2, VERSION],
      [2, 0],
      [2, DEFLATED],
      [4, 0],
      [4, crc32(bytes)],
      [4, data.length],
      [4, bytes.length],
      [2, name.length],
      [2, 0],
    );
    const head = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), about, name]);
    const rest = fields([2, 0], [2, 0], [2, 0], [4, 0], [4, offset]);
    directory.push(Buffer.from('PK\x01\x02', 'latin1'), fields([2, VERSION]), about, rest, name);
    parts.push(head, data);
    offset += head.length + data.length;
  }
  const index = Buffer.concat(directory);
  const end = fields(
    [2, 0],
    [2, 0],
    [2, files.length],
    [2, files.length],
    [4, index.length],
    [4, offset],
    [2, 0],
  );
  return Buffer.concat([...parts, index, Buffer.from('PK\x05\x06', 'latin1'), end]);
}

/** Writes each number in as many bytes as given, the lowest byte first. */
function fields(...given: readonly (readonly [bytes: number, value: number])[]): Buffer {
  return Buffer.concat(
    given.map(([bytes, value]) => {
      const field = Buffer.alloc(bytes);
      field.writeUIntLE(value, 0, bytes);
      return field;
    }),
  );
}
