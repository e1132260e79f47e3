// A parameter of a media type. Each step of the expression consumes a character, so its time grows linearly with the
// header.
const PARAMETER = /;\s*([^=;\s"]*)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^;,"]*))?/g;

/** The type and subtype of a Content-Type, in lower case. */
export const essenceOf = (contentType: string): string => contentType.split(';', 1)[0]!.trim().toLowerCase();

/**
 * Whether a Content-Type allows UTF-8: it names no charset, or UTF-8 in one of the usual spellings. Other parameters
 * mean nothing for JSON (RFC 8259, 11).
 */
export const isInUtf8 = (contentType: string): boolean =>
  charsetsOf(contentType).every((charset) => /^utf-?8$/i.test(charset));

/** The charsets that a Content-Type names. */
export const charsetsOf = (contentType: string): string[] =>
  [...contentType.matchAll(PARAMETER)].flatMap(([, name, value = '']) =>
    name!.toLowerCase() === 'charset' ? [unquoted(value.trim())] : [],
  );

const unquoted = (value: string): string => value.replace(/^(["'])(.*)\1$/, '$2').replace(/\\(.)/g, '$1');

/** The Accept header without parameters other than q, so that `application/xml;charset=utf-8` asks for XML. */
export const withoutParameters = (accept: string): string =>
  accept.replace(PARAMETER, (parameter, name: string) => (/^q$/i.test(name) ? parameter : ''));
