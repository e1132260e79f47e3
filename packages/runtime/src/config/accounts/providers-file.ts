import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, resolve } from 'node:path';
import type { Document, LineCounter, Node, Pair, Scalar, YAMLMap } from 'yaml';
import type { Env } from '../local.js';
import { settingOf, settingsOfProviders } from './setting-names.js';

/** The value of a setting as the file writes it, with the line of its name. */
export type WrittenValue = Readonly<{ setting: string; text: string; line: number }>;

/** An account as the file writes it: nothing in it is resolved yet. */
export type WrittenAccount = Readonly<{
  provider: string;
  name: string;
  line: number;
  values: readonly WrittenValue[];
}>;

/** A fault of the file. `where`: the path of what is wrong, such as `stripe.shop.secret_key`. */
export type FileFault = Readonly<{ line: number; where: string; words: string }>;

type WrittenFile = Readonly<{ accounts: readonly WrittenAccount[]; faults: readonly FileFault[] }>;

// The name is in queue metrics, in log lines and in the ledger.
const ACCOUNT_NAME = /^[a-z0-9][a-z0-9_-]{0,31}$/;

/** The accounts in the text of a file: provider, then the name of our account, then its settings. */
export function accountsWritten(text: string): WrittenFile {
  const { document, lines, yaml } = parsed(text);
  const faults: FileFault[] = document.errors.map(({ code, pos }) => ({
    line: lines.linePos(pos[0]).line,
    where: '',
    // The parser's own message may quote the text, and the text may be a secret.
    words: `is no YAML (${code.toLowerCase().replaceAll('_', ' ')})`,
  }));
  if (faults.length > 0) return { accounts: [], faults };
  const lineOf = (node: unknown): number => lines.linePos((node as Node | null)?.range?.[0] ?? 0).line;
  const refuse = (node: unknown, where: string, words: string) =>
    void faults.push({ line: lineOf(node), where, words });
  const entriesOf = (node: unknown, where: string, at: unknown): Pair<Scalar, unknown>[] => {
    if (yaml.isMap(node) && (node as YAMLMap).items.length > 0) return node.items as Pair<Scalar, unknown>[];
    refuse(node ?? at, where, 'must hold names with values');
    return [];
  };
  const writtenIn = (
    provider: string,
    path: string,
    { key, value }: Pair<Scalar, unknown>,
  ): WrittenValue[] => {
    const where = `${path}.${String(key.value)}`;
    const setting = settingOf(provider, String(key.value));
    const text = textOf(value, yaml);
    if (setting === null) refuse(key, where, 'is no setting of this provider');
    else if (text === null) refuse(key, where, 'needs a text or a number');
    else return [{ setting, text, line: lineOf(key) }];
    return [];
  };
  const accounts = entriesOf(document.contents, '', null).flatMap(({ key, value }) => {
    const provider = String(key.value);
    if (settingsOfProviders[provider] === undefined) {
      refuse(key, provider, `is no provider: there are ${Object.keys(settingsOfProviders).join(', ')}`);
      return [];
    }
    return entriesOf(value, provider, key).map(({ key: account, value: settings }): WrittenAccount => {
      const name = String(account.value);
      const path = `${provider}.${name}`;
      if (!ACCOUNT_NAME.test(name)) refuse(account, path, 'must be named by 1 to 32 of a-z 0-9 _ -');
      const values = entriesOf(settings, path, account).flatMap((pair) => writtenIn(provider, path, pair));
      return { provider, name, line: lineOf(account), values };
    });
  });
  return { accounts, faults };
}

type Yaml = typeof import('yaml');

/** The library is loaded only where a file is configured. */
function parsed(text: string): Readonly<{ document: Document; lines: LineCounter; yaml: Yaml }> {
  const yaml = createRequire(import.meta.url)('yaml') as Yaml;
  const lines = new yaml.LineCounter();
  return { document: yaml.parseDocument(text, { lineCounter: lines, prettyErrors: false }), lines, yaml };
}

/** A value as it is written: a number keeps its zeros and its last digits. Null: it is no text. */
function textOf(value: unknown, { isScalar }: Yaml): string | null {
  if (!isScalar(value) || value.value === null) return null;
  const text = value.source ?? String(value.value);
  return text === '' ? null : text;
}

const VARIABLE = /\$\{([A-Za-z_]\w*)\}/g;

/** The variables that a text names as `${NAME}`. */
export const variablesIn = (text: string): string[] => [...text.matchAll(VARIABLE)].map(([, name]) => name!);

/** Whether the value is in a file of its own, which may change while the process runs. */
export const isInFile = (text: string): boolean => text.startsWith('file:');

type ResolvedValue = Readonly<{ value: string } | { fault: string }>;

/**
 * The value that a text stands for: variables are replaced, and `file:PATH` is the content of that file without the
 * white space around it. A path is relative to the folder of the file that names it.
 */
export function resolved(text: string, env: Env, providersFile: string): ResolvedValue {
  const missing = variablesIn(text).find((name) => !env[name]);
  if (missing !== undefined) return { fault: `names the variable ${missing}, which is not set` };
  const filled = text.replace(VARIABLE, (_, name: string) => env[name]!);
  if (!isInFile(text)) return { value: filled };
  const path = filled.slice('file:'.length).trim();
  const value = textIn(resolve(dirname(providersFile), path))?.trim();
  if (value === undefined) return { fault: `names the file ${path}, which cannot be read` };
  return value === '' ? { fault: `names the file ${path}, which is empty` } : { value };
}

/** The content of a file. Null: it cannot be read. */
export function textIn(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

export const sentenceOf = (providersFile: string, { line, where, words }: FileFault): string =>
  [`${basename(providersFile)}:${line}:`, where, words].filter(Boolean).join(' ');
