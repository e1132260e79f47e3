import { brotliDecompressSync, unzipSync } from 'node:zlib';
import type { Dispatcher } from 'undici';

type Decode = (bytes: Uint8Array, limit: Readonly<{ maxOutputLength: number }>) => Buffer;

/** The encodings that the SDKs ask for. */
const decoders: Readonly<Record<string, Decode>> = {
  gzip: unzipSync,
  deflate: unzipSync,
  br: brotliDecompressSync,
};

/**
 * Decodes a compressed answer before an SDK sees it. The SDKs decode without a limit: half a megabyte of gzip becomes
 * 500 MB, in a call that stops the whole process for seconds. An answer that decodes to more than `limitBytes`, or has
 * another encoding, ends with an error. The compressed bytes are limited by the connection.
 */
export function decoding(
  handler: Dispatcher.DispatchHandler,
  limitBytes: number,
): Dispatcher.DispatchHandler {
  let decode: Decode | undefined;
  const encoded: Buffer[] = [];
  return {
    onRequestStart: (...given) => handler.onRequestStart?.(...given),
    onRequestUpgrade: (...given) => handler.onRequestUpgrade?.(...given),
    onResponseStart(controller, status, headers, text) {
      const { 'content-encoding': encoding, 'content-length': _ofEncoded, ...others } = headers;
      if (encoding === undefined || encoding === 'identity')
        return handler.onResponseStart?.(controller, status, headers, text);
      decode = decoders[String(encoding).toLowerCase()];
      if (!decode) return controller.abort(new Error(`the answer is encoded in ${encoding}`));
      handler.onResponseStart?.(controller, status, others, text);
    },
    onResponseData(controller, chunk) {
      if (decode) encoded.push(chunk);
      else handler.onResponseData?.(controller, chunk);
    },
    onResponseEnd(controller, trailers) {
      if (decode && encoded.length > 0) {
        let decoded: Buffer;
        try {
          decoded = decode(Buffer.concat(encoded), { maxOutputLength: limitBytes });
        } catch (error) {
          return handler.onResponseError?.(controller, error as Error);
        }
        handler.onResponseData?.(controller, decoded);
      }
      handler.onResponseEnd?.(controller, trailers);
    },
    onResponseError: (...given) => handler.onResponseError?.(...given),
  };
}
