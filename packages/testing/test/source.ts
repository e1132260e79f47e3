import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, resolve } from 'node:path';
import { parseSync } from '@swc/core';

export const root = resolve(import.meta.dirname, '../../..');

export type Import = Readonly<{ from: string; typeOnly: boolean }>;
export type FunctionSpan = Readonly<{ line: number; lines: number }>;

export type Source = Readonly<{
  /** The path from the repository's root, with slashes. */
  path: string;
  lines: number;
  imports: readonly Import[];
  functions: readonly FunctionSpan[];
  /** The globals that the source uses, such as `process.env` or `console.log`. */
  globals: readonly string[];
  /** Names of the functions that the source calls, such as `timingSafeEqual`, or `.equals` for a method. */
  calls: readonly string[];
  /** Names of values that the source compares with other values by `===`, `!==`, `==` or `!=`. */
  compared: readonly string[];
  /** Names of the types, interfaces and classes that the source declares at its top level. */
  types: readonly string[];
  /** Names of the tables that its SQL texts insert into, each once per statement. */
  insertsInto: readonly string[];
}>;

type Node = Readonly<Record<string, unknown> & { type: string; span: { start: number; end: number } }>;

const SKIPPED = new Set(['node_modules', 'dist', 'generated', 'coverage']);

/** All our modules below apps, packages and bench. */
export function readSources(): Source[] {
  return ['apps', 'packages', 'bench'].flatMap(filesBelow).map((path) => {
    return readSource(path, readFileSync(join(root, path), 'utf8'));
  });
}

function filesBelow(folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  return entries.flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : filesBelow(path);
    return /\.(ts|tsx|mts|mjs|js)$/.test(entry.name) ? [path] : [];
  });
}

export function readSource(path: string, text: string): Source {
  // The parser's positions are bytes, counted over all files together. The empty statement in front shows where this
  // file begins.
  const marked = Buffer.from(`;${text.replace(/^#!/, '//')}`);
  const program = parseSync(marked.toString(), {
    syntax: 'typescript',
    tsx: path.endsWith('x'),
    target: 'es2023',
  }) as unknown as { body: Node[] };
  const base = program.body[0]!.span.start;
  const lineAt = (position: number) => 1 + newlines(marked.subarray(0, position - base));
  const imports: Import[] = [];
  const functions: FunctionSpan[] = [];
  const globals: string[] = [];
  const calls: string[] = [];
  const compared: string[] = [];
  const insertsInto: string[] = [];
  for (const { node, parent } of walk(program.body.slice(1))) {
    imports.push(...importsOf(node));
    globals.push(...globalsOf(node));
    calls.push(...callsOf(node));
    compared.push(...comparedIn(node));
    insertsInto.push(...insertsIn(node));
    if (!isFunction(node) || isBlockOfTests(parent)) continue;
    const line = lineAt(node.span.start);
    functions.push({ line, lines: lineAt(node.span.end) - line + 1 });
  }
  const lines = newlines(Buffer.from(text.trimEnd())) + 1;
  const types = program.body.flatMap(typesOf);
  return { path, lines, imports, functions, globals, calls, compared, types, insertsInto };
}

const newlines = (bytes: Buffer): number => bytes.reduce((sum, byte) => sum + (byte === 10 ? 1 : 0), 0);

function* walk(value: unknown, parent: Node | null = null): Generator<{ node: Node; parent: Node | null }> {
  if (Array.isArray(value)) {
    for (const item of value) yield* walk(item, parent);
  } else if (typeof value === 'object' && value !== null) {
    const isNode = typeof (value as Node).type === 'string' && (value as Node).span !== undefined;
    if (isNode) yield { node: value as Node, parent };
    for (const inner of Object.values(value)) yield* walk(inner, isNode ? (value as Node) : parent);
  }
}

const functionTypes = new Set([
  'FunctionDeclaration',
  'FunctionExpression',
  'ArrowFunctionExpression',
  'ClassMethod',
  'PrivateMethod',
  'Constructor',
  'MethodProperty',
  'GetterProperty',
  'SetterProperty',
]);

const isFunction = (node: Node): boolean => functionTypes.has(node.type);

/** The function in `describe(..., () => { ... })` groups tests, so its length does not count. */
const isBlockOfTests = (parent: Node | null): boolean =>
  parent?.type === 'CallExpression' && JSON.stringify(parent.callee).includes('"value":"describe"');

function importsOf(node: Node): Import[] {
  const from = (node.source as { value?: string } | null | undefined)?.value;
  if (from && /^(Import|Export(All|Named))Declaration$/.test(node.type)) {
    const specifiers = (node.specifiers as { isTypeOnly?: boolean }[] | undefined) ?? [];
    const allTypes = specifiers.length > 0 && specifiers.every(({ isTypeOnly }) => isTypeOnly);
    return [{ from, typeOnly: node.typeOnly === true || allTypes }];
  }
  if (node.type === 'CallExpression' && (node.callee as Node).type === 'Import') {
    const [first] = node.arguments as { expression: { type: string; value: string } }[];
    return first?.expression.type === 'StringLiteral'
      ? [{ from: first.expression.value, typeOnly: false }]
      : [];
  }
  const argument = (node.argument as { value?: string } | undefined)?.value;
  return node.type === 'TsImportType' && argument ? [{ from: argument, typeOnly: true }] : [];
}

function globalsOf(node: Node): string[] {
  if (node.type === 'MemberExpression') {
    const object = node.object as { type: string; value: string };
    const property = node.property as { type: string; value: string; expression?: { value: string } };
    if (object.type !== 'Identifier' || !['process', 'console'].includes(object.value)) return [];
    return [`${object.value}.${property.value ?? property.expression?.value}`];
  }
  if (node.type !== 'VariableDeclarator') return [];
  const taken = node.init as { type: string; value: string } | null;
  if (taken?.type !== 'Identifier' || taken.value !== 'process') return [];
  const keys = (node.id as { properties?: { key: { value: string } }[] }).properties ?? [];
  return keys.map(({ key }) => `process.${key.value}`);
}

function callsOf(node: Node): string[] {
  if (node.type !== 'CallExpression') return [];
  const callee = node.callee as Node;
  if (callee.type === 'Identifier') return [nameOf(callee)!];
  return callee.type === 'MemberExpression' ? [`.${nameOf(callee)}`] : [];
}

/** Comparisons with a literal, `undefined` or `null` are left out, because they compare no two values. */
function comparedIn(node: Node): string[] {
  if (node.type !== 'BinaryExpression' || !/^[!=]==?$/.test(String(node.operator))) return [];
  const sides = [node.left, node.right] as Node[];
  if (sides.some((side) => side.type.endsWith('Literal') || nameOf(side) === 'undefined')) return [];
  return sides.flatMap((side) => nameOf(side) ?? []);
}

function typesOf(node: Node): string[] {
  const declared = node.type === 'ExportDeclaration' ? (node.declaration as Node) : node;
  if (/^Ts(TypeAlias|Interface|Enum)Declaration$/.test(declared.type)) return [nameOf(declared.id as Node)!];
  return declared.type === 'ClassDeclaration' ? [nameOf(declared.identifier as Node)!] : [];
}

/** Only strings and the fixed parts of template strings count, so a comment may mention a statement. */
function insertsIn(node: Node): string[] {
  if (node.type === 'CallExpression') return createdThroughPrisma(node);
  const text = node.type === 'TemplateElement' ? node.raw : node.type === 'StringLiteral' ? node.value : '';
  return [...String(text).matchAll(/\binsert\s+into\s+"?(\w+)/gi)].map(([, table = '']) => table);
}

/** `db.apiKey.create(...)` inserts into `api_key`. */
function createdThroughPrisma({ callee }: Node): string[] {
  const method = callee as Node;
  if (method.type !== 'MemberExpression' || !/^(create|createMany|upsert)$/.test(nameOf(method)!)) return [];
  const model = method.object as Node;
  if (model.type !== 'MemberExpression' || nameOf(model.object as Node) !== 'db') return [];
  return [nameOf(model)!.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)];
}

/** The last name of `a`, `a.b` or `a.b()`. */
function nameOf(node: Node): string | null {
  if (node.type === 'Identifier') return String(node.value);
  if (node.type === 'MemberExpression') return nameOf(node.property as Node);
  return node.type === 'CallExpression' ? nameOf(node.callee as Node) : null;
}

/** The file that a relative import names. Null for a package. */
export function targetOf(source: Source, { from }: Import): string | null {
  if (!from.startsWith('.')) return null;
  const path = normalize(join(dirname(source.path), from)).replaceAll('\\', '/');
  return path.replace(/\.js$/, '.ts');
}
