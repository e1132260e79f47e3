import { requestTextNames } from '@replenish/domain/rules';
import { type SaxesAttributeNS, SaxesParser } from 'saxes';
import { Problem } from '../../http/answers/problem.js';
import { exactNumber } from './json-body.js';

// The slowest bodies of 64 kB (6,000 elements, 7,000 attributes, 13,000 numeric references) take 14 to 44 ms on a
// busy machine.
const BYTES_MAX = 65_536;

// A recharge has three levels.
const DEPTH_MAX = 16;

const WHY_MAX = 200;

/**
 * The element whose children callers name: `<metadata><team>billing</team></metadata>`. A name that is not valid for
 * an element is written `<metadata><entry key="any name">value</entry></metadata>`.
 */
const MAP = 'metadata';
const ENTRY = 'entry';

/** Fields that are numbers in JSON. Their digits are kept exactly. */
const numbers = new Set(['amount', 'below', 'cooldownSeconds', 'runwayDays', 'dormantAfterDays', 'canary']);
/** Groups whose fields are all numbers in JSON. */
const numberGroups = new Set(['caps', 'recharge', 'approvalAbove']);
/** Fields of the root that are lists of texts. They are written as answers write them: `<events><item>...</item></events>`. */
const textLists = new Set(['events']);
const ITEM = 'item';
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/**
 * Optional text fields. Tool kits and spreadsheets write an empty element for a missing value, so an empty element
 * counts as missing. The idempotency key is not in this list, because an empty one would be lost silently.
 */
const emptyIsNone = new Set<string>([...requestTextNames, 'timestamp', 'callbackUrl']);

const XMLNS = 'http://www.w3.org/2000/xmlns/';
const XML = 'http://www.w3.org/XML/1998/namespace';
const XSI = 'http://www.w3.org/2001/XMLSchema-instance';

type Element = {
  readonly name: string;
  readonly key: string | undefined;
  readonly isNil: boolean;
  readonly fields: Map<string, unknown>;
  text: string;
};

/**
 * Parses XML into the value of the JSON form, so that one schema checks both forms and both have one fingerprint.
 *
 * Only XML with one meaning is accepted (OWASP ASVS 1.5.1, 1.5.3). Refused are: DOCTYPE and the entities that it
 * defines, processing instructions inside the root, repeated elements, elements of another namespace than the root's,
 * text beside elements, and attributes with a meaning. Accepted are things without a meaning that tool kits write: a
 * byte order mark, any namespace of the root, `xsi:` attributes, and nil for a missing field.
 * @throws Problem INVALID_ARGUMENT
 */
export function parseXml(raw: Uint8Array, root: string): unknown {
  if (raw.length > BYTES_MAX) {
    const why = `XML bodies are ${BYTES_MAX} bytes at most; JSON may be larger`;
    throw new Problem('INVALID_ARGUMENT', why, { status: 413 });
  }
  const text = decode(raw);
  return refusing(() => {
    const reader = openReader(root);
    reader.parser.write(text).close();
    return reader.value();
  });
}

/** A list in the root, of elements with texts only: `<plan><line>...</line></plan>`, or the same inside `<lines>`. */
export type XmlList = Readonly<{ field: string; item: string }>;

// The parser takes some 10 ms for a slice of a hostile body. Between slices the process does other work.
const SLICE_CHARS = 32_768;

/**
 * Parses XML with a list, as `parseXml` does. The items of the list have texts as fields, and so has the root. It lets
 * the process do other work, so it is for long bodies.
 * @throws Problem INVALID_ARGUMENT
 */
export async function parseXmlList(raw: Uint8Array, root: string, list: XmlList): Promise<unknown> {
  const text = decode(raw);
  const reader = refusing(() => openReader(root, list));
  for (let at = 0; at < text.length; at += SLICE_CHARS) {
    refusing(() => reader.parser.write(text.slice(at, at + SLICE_CHARS)));
    await new Promise((resolve) => setImmediate(resolve));
  }
  refusing(() => reader.parser.close());
  return reader.value();
}

function refusing<Value>(work: () => Value): Value {
  try {
    return work();
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw refusal(error instanceof Error ? error.message : 'not XML');
  }
}

const refusal = (why: string): Problem =>
  new Problem('INVALID_ARGUMENT', `the body is not acceptable XML: ${why.slice(0, WHY_MAX)}`);

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decode(raw: Uint8Array): string {
  if (hasMarkOfUtf16(raw)) throw refusal(UTF_16);
  let text: string;
  try {
    text = utf8.decode(raw);
  } catch {
    throw refusal('not UTF-8');
  }
  if (text.startsWith('<\0') || text.startsWith('\0<')) throw refusal(UTF_16);
  return text;
}

const UTF_16 = 'it is UTF-16; send UTF-8';
const hasMarkOfUtf16 = ([first, second]: Uint8Array): boolean =>
  (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);

type XmlReader = Readonly<{ parser: SaxesParser<{ xmlns: true }>; value: () => unknown }>;

function openReader(root: string, list?: XmlList): XmlReader {
  const parser = new SaxesParser({ xmlns: true });
  let namespace = '';
  const open: Element[] = [];
  let value: unknown;
  refuseDeclarations(parser, open);
  parser.on('opentag', ({ local: name, uri, attributes }) => {
    if (open.length === DEPTH_MAX) throw refusal(`nested deeper than ${DEPTH_MAX}`);
    if (open.length === 0 && name !== root) throw refusal(`the root element must be <${root}>`);
    if (open.length === 0) namespace = uri;
    if (uri !== '' && uri !== namespace) throw refusal(`<${name}> is of another namespace than <${root}>`);
    const meaningful = Object.values(attributes).filter(meansSomething);
    const isNil = meaningful.some((one) => isNilMark(one) && /^(?:true|1)$/.test(one.value));
    const names = meaningful.filter((one) => !isNilMark(one));
    open.push({ name, key: keyOf(name, names, open), isNil, fields: new Map(), text: '' });
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
    else if (list && isItem(list, element, open)) append(list, parent, element);
    else if (list && element.name === list.field && open.length === 1) putList(list, parent, element);
    else if (isTextList(parent, open.length - 1)) appendText(parent, element);
    else put(parent, element, contentOf(element, open.length, parent));
  });
  return { parser, value: () => value };
}

function refuseDeclarations(parser: SaxesParser<{ xmlns: true }>, open: readonly Element[]): void {
  parser.on('xmldecl', ({ encoding, version }) => {
    if (version !== '1.0') throw refusal('only XML 1.0 is read');
    if (encoding !== undefined && !/^utf-?8$/i.test(encoding))
      throw refusal(`its declaration says ${encoding}, and bodies are UTF-8: write encoding="UTF-8"`);
  });
  parser.on('doctype', () => {
    throw refusal('no DOCTYPE is taken');
  });
  parser.on('processinginstruction', () => {
    if (open.length > 0) throw refusal(`a processing instruction stands inside <${open.at(-1)!.name}>`);
  });
}

const isItem = ({ field, item }: XmlList, { name }: Element, open: readonly Element[]): boolean =>
  name === item && (open.length === 1 || (open.length === 2 && open[1]!.name === field));

/** Adds an item to the list in `field` of its parent. */
function append({ field }: XmlList, parent: Element, item: Element): void {
  requireBlank(item);
  const items = (parent.fields.get(field) as unknown[] | undefined) ?? [];
  items.push(Object.fromEntries(item.fields));
  parent.fields.set(field, items);
}

function putList({ field, item }: XmlList, root: Element, list: Element): void {
  requireBlank(list);
  if (root.fields.has(field)) throw refusal(`<${item}> stands inside and outside of <${field}>`);
  const strange = [...list.fields.keys()].find((name) => name !== field);
  if (strange !== undefined)
    throw refusal(`<${field}> holds <${strange}>, and only <${item}> may stand there`);
  root.fields.set(field, list.fields.get(field) ?? []);
}

const isTextList = ({ name }: Element, depth: number): boolean => depth === 1 && textLists.has(name);

/** Adds a text to a list of texts. */
function appendText(list: Element, { name, isNil, fields, text }: Element): void {
  if (name !== ITEM || isNil || fields.size > 0)
    throw refusal(`<${list.name}> holds texts, each written as <${ITEM}>text</${ITEM}>`);
  const texts = (list.fields.get(ITEM) as string[] | undefined) ?? [];
  texts.push(text);
  list.fields.set(ITEM, texts);
}

/**
 * Whether the attribute can change a value. Attributes for namespaces, language, white space and schemas cannot change
 * it, but nil can.
 */
const meansSomething = ({ uri, prefix, name, local }: SaxesAttributeNS): boolean =>
  uri !== XML && uri !== XMLNS && prefix !== 'xmlns' && name !== 'xmlns' && (uri !== XSI || local === 'nil');

/** `xsi:nil` is the form of XML Schema, `nil` the form of our own answers. */
const isNilMark = ({ uri, name, local }: SaxesAttributeNS): boolean =>
  (uri === XSI && local === 'nil') || name === 'nil';

/** The key of an entry of metadata. @throws Problem for every other attribute */
function keyOf(
  name: string,
  attributes: readonly SaxesAttributeNS[],
  open: readonly Element[],
): string | undefined {
  const [first] = attributes;
  if (!isMap(open.at(-1), open.length - 1)) {
    if (first)
      throw refusal(`<${name}> has an attribute ${first.name}; only an entry of metadata has one, its key`);
    return undefined;
  }
  if (!first) return name;
  if (name !== ENTRY || attributes.length > 1 || first.name !== 'key')
    throw refusal(`metadata is written as <name>value</name> or <${ENTRY} key="name">value</${ENTRY}>`);
  const key = first.value;
  if (key === '__proto__') throw refusal('no key can be __proto__');
  return key;
}

const isMap = (element: Element | undefined, depth: number): boolean => depth === 1 && element?.name === MAP;

function put(parent: Element, { name, key }: Element, value: unknown): void {
  const field = key ?? name;
  if (field === '__proto__') throw refusal('no element can be __proto__');
  if (parent.fields.has(field)) throw refusal(`<${name}> or its key appears twice`);
  parent.fields.set(field, value);
}

function contentOf(element: Element, depth: number, parent?: Element): unknown {
  if (element.isNil) return nil(element);
  if (isTextList(element, depth)) return textsOf(element);
  const isLeaf = element.fields.size === 0 && depth > 0 && !isMap(element, depth);
  if (isLeaf && depth === 1) return fieldValue(element);
  if (isLeaf && depth === 2 && numberGroups.has(parent!.name)) return numberOf(element.text);
  if (isLeaf) return element.text;
  requireBlank(element);
  return Object.fromEntries(element.fields);
}

function textsOf(list: Element): unknown {
  requireBlank(list);
  return list.fields.get(ITEM) ?? [];
}

function requireBlank({ name, text }: Element): void {
  if (!isBlank(text)) throw refusal(`text stands in <${name}>, beside or instead of elements`);
}

const isBlank = (text: string): boolean => /^[ \t\r\n]*$/.test(text);

/** The value of a field of the root. Undefined when the field counts as missing. */
function fieldValue({ name, text }: Element): unknown {
  if (numbers.has(name)) return numberOf(text);
  return text === '' && emptyIsNone.has(name) ? undefined : text;
}

/** A nil field is undefined, like a missing one. Its name is still checked. */
function nil({ name, key, fields, text }: Element): undefined {
  if (key !== undefined) throw refusal(`<${name}> is an entry of metadata and cannot be nil`);
  if (fields.size > 0 || !isBlank(text)) throw refusal(`<${name}> is nil and has a content`);
  return undefined;
}

/** A text that is not a number stays a text, and the schema refuses it. */
const numberOf = (text: string): ReturnType<typeof exactNumber> | string =>
  NUMBER.test(text) ? exactNumber(text) : text;
