/**
 * A body as XML: the same fields as in JSON. Null is `nil="true"`, a list's members are `<item>`, and metadata, whose
 * names are the caller's, is `<entry key="...">`. Integers are written as the digits they are.
 */
export const writeXml = (root: string, body: unknown): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n${element(root, body)}`;

/** Fields whose names, at any depth, are the caller's: no element may be called by them. */
const maps = new Set(['metadata', 'params']);

function element(name: string, value: unknown, key?: string): string {
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
  // As such they would be read back as a space or a line feed (XML 1.0, 2.11 and 3.3.3).
  '\r': '&#13;',
  '\n': '&#10;',
  '\t': '&#9;',
};

/** XML 1.0 has no way at all to write these, not even as references: a provider's message may hold some. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const UNWRITABLE = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Cs}/gu;

export const escaped = (text: string): string =>
  text.replace(UNWRITABLE, '\ufffd').replace(/[&<>"\r\n\t]/g, (char) => entities[char]!);
