// Token or quoted string, each step of which takes a character, so that a long header costs its length.
const PARAMETER = /;\s*([^=;\s"]*)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^;,"]*))?/g;

/** The type and subtype of a Content-Type, in lower case. */
export const essenceOf = (contentType: string): string => contentType.split(';', 1)[0]!.trim().toLowerCase();

/**
 * Whether a Content-Type says nothing against UTF-8: no charset, or this one in any spelling that clients use. Other
 * parameters have no meaning for JSON (RFC 8259, 11) and are passed over.
 */
export function isInUtf8(contentType: string): boolean {
  for (const [, name, value = ''] of contentType.matchAll(PARAMETER))
    if (name!.toLowerCase() === 'charset' && !/^utf-?8$/i.test(unquoted(value.trim()))) return false;
  return true;
}

const unquoted = (value: string): string => value.replace(/^(["'])(.*)\1$/, '$2').replace(/\\(.)/g, '$1');

/** An Accept header whose types have no parameters but q: `application/xml;charset=utf-8` asks for XML. */
export const withoutParameters = (accept: string): string =>
  accept.replace(PARAMETER, (parameter, name: string) => (/^q$/i.test(name) ? parameter : ''));
