/**
 * The body as XML, with the fields of the JSON form. Null is `nil="true"`, items of a list are `<item>`. Entries of
 * metadata are `<entry key="...">`, because callers choose their names. Integers keep all digits.
 */
export const writeXml = (root: string, body: unknown): string => `${XML_DECLARATION}${element(root, body)}`;

export const XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';

/** Fields with entries that callers name, at any depth. Such a name may not be a valid name of an element. */
const maps = new Set(['metadata', 'params', 'evidence', 'detail']);

/** One element of the XML form. */
export function element(name: string, value: unknown, key?: string): string {
  const attributes = key === undefined ? '' : ` key="${escaped(key)}"`;
  if (value === null) return `<${name}${attributes} nil="true"/>`;
  return `<${name}${attributes}>${content(value, key !== undefined || maps.has(name))}</${name}>`;
}

function content(value: unknown, isMap: boolean): string {
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map((item) => element('item', item)).join('');
  if (typeof value !== 'object' || value === null) return escaped(String(value));
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  if (isMap) return fields.map(([key, field]) => element('entry', field, key)).join('');
  return fields.map(([field, inside]) => element(field, inside)).join('');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  // XML readers turn these characters into a space or a line feed (XML 1.0, 2.11 and 3.3.3).
  '\r': '&#13;',
  '\n': '&#10;',
  '\t': '&#9;',
};

/** XML 1.0 cannot express these characters, not even as references. A message from a provider may contain some. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const UNWRITABLE = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Cs}/gu;

export const escaped = (text: string): string =>
  text.replace(UNWRITABLE, '\ufffd').replace(/[&<>"\r\n\t]/g, (char) => entities[char]!);
