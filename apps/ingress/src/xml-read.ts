import { type SaxesAttributePlain, SaxesParser } from 'saxes';
import { exactNumber } from './json-body.js';
import { Problem } from './problem.js';

// The worst 64 kB (6,000 elements, 7,000 attributes, 13,000 numeric references) cost 14 to 44 ms on a busy machine.
const BYTES_MAX = 65_536;

// A recharge nests three deep. Deeper is no recharge.
const DEPTH_MAX = 16;

const WHY_MAX = 200;

/**
 * The one element whose names are the caller's: `<metadata><team>billing</team></metadata>`, and for names that no
 * element can have `<metadata><entry key="any name">value</entry></metadata>`.
 */
const MAP = 'metadata';
const ENTRY = 'entry';

/** Fields that are numbers in JSON. Their digits are kept as they were written. */
const numbers = new Set(['amount']);
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

type Element = {
  readonly name: string;
  readonly key: string | undefined;
  readonly fields: Map<string, unknown>;
  text: string;
};

/**
 * The same value that the JSON form of the request gives, so that one schema validates both and both have one
 * fingerprint. One meaning or none: no DOCTYPE, hence no entities but XML's own five and numeric ones, no processing
 * instructions, no attribute but an entry's key, no element twice, no text beside elements (OWASP ASVS 1.5.1, 1.5.3).
 * @throws Problem INVALID_ARGUMENT
 */
export function parseXml(raw: Uint8Array, root: string): unknown {
  if (raw.length > BYTES_MAX) {
    const why = `XML bodies are ${BYTES_MAX} bytes at most; JSON may be larger`;
    throw new Problem('INVALID_ARGUMENT', why, { status: 413 });
  }
  const text = decode(raw);
  try {
    return read(text, root);
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw refusal(error instanceof Error ? error.message : 'not XML');
  }
}

const refusal = (why: string): Problem =>
  new Problem('INVALID_ARGUMENT', `the body is not acceptable XML: ${why.slice(0, WHY_MAX)}`);

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decode(raw: Uint8Array): string {
  let text: string;
  try {
    text = utf8.decode(raw);
  } catch {
    throw refusal('not UTF-8');
  }
  if (text.startsWith('\ufeff')) throw refusal('begins with a byte order mark');
  return text;
}

function read(text: string, root: string): unknown {
  const parser = new SaxesParser();
  const open: Element[] = [];
  let value: unknown;
  parser.on('xmldecl', ({ encoding, version }) => {
    if (version !== '1.0') throw refusal('only XML 1.0 is read');
    if (encoding !== undefined && !/^utf-8$/i.test(encoding)) throw refusal('only UTF-8 is read');
  });
  parser.on('doctype', () => {
    throw refusal('no DOCTYPE is taken');
  });
  parser.on('processinginstruction', () => {
    throw refusal('no processing instruction is taken');
  });
  parser.on('opentag', ({ name, attributes }) => {
    if (open.length === DEPTH_MAX) throw refusal(`nested deeper than ${DEPTH_MAX}`);
    if (open.length === 0 && name !== root) throw refusal(`the root element must be <${root}>`);
    open.push({ name, key: keyOf(name, attributes, open), fields: new Map(), text: '' });
  });
  const add = (characters: string): void => {
    const element = open.at(-1);
    if (element) element.text += characters;
  };
  parser.on('text', add);
  parser.on('cdata', add);
  parser.on('closetag', () => {
    const element = open.pop()!;
    const parent = open.at(-1);
    if (!parent) value = contentOf(element, 0);
    else put(parent, element, contentOf(element, open.length));
  });
  parser.write(text).close();
  return value;
}

/** @throws Problem for every attribute but the key that an entry of metadata may have */
function keyOf(
  name: string,
  attributes: Readonly<Record<string, SaxesAttributePlain | string>>,
  open: readonly Element[],
): string | undefined {
  const names = Object.keys(attributes);
  if (!isMap(open.at(-1), open.length - 1)) {
    if (names.length > 0) throw refusal('only an entry of metadata has an attribute, its key');
    return undefined;
  }
  if (names.length === 0) return name;
  if (name !== ENTRY || names.join() !== 'key')
    throw refusal(`metadata is written as <name>value</name> or <${ENTRY} key="name">value</${ENTRY}>`);
  const key = String(attributes.key);
  if (key === '__proto__') throw refusal('no key can be __proto__');
  return key;
}

const isMap = (element: Element | undefined, depth: number): boolean => depth === 1 && element?.name === MAP;

function put(parent: Element, { name, key }: Element, value: unknown): void {
  const field = key ?? name;
  if (field === '__proto__') throw refusal('no element can be __proto__');
  if (parent.fields.has(field)) throw refusal('an element or a key appears twice');
  parent.fields.set(field, value);
}

function contentOf(element: Element, depth: number): unknown {
  const isLeaf = element.fields.size === 0 && depth > 0 && !isMap(element, depth);
  if (isLeaf) return numbers.has(element.name) && depth === 1 ? numberOf(element.text) : element.text;
  if (!/^[ \t\r\n]*$/.test(element.text)) throw refusal('text stands beside or instead of elements');
  return Object.fromEntries(element.fields);
}

/** What is no number stays text, and the schema says so. */
const numberOf = (text: string): ReturnType<typeof exactNumber> | string =>
  NUMBER.test(text) ? exactNumber(text) : text;
