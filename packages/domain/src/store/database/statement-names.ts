import { createHash } from 'node:crypto';
import type { Prisma } from '../../generated/client.js';

const NAMES_MAX = 200;

/**
 * Names statements, because Postgres plans a named one once per connection instead of once per call. Our texts are few
 * and constant. The limit of the names keeps a text that is built from input from filling the server's memory.
 */
export function statementNames(): (sql: string) => string {
  const names = new Map<string, string>();
  return (sql) => {
    const known = names.get(sql);
    if (known) return known;
    if (names.size >= NAMES_MAX) return '';
    const name = `r_${createHash('sha256').update(sql).digest('hex').slice(0, 24)}`;
    names.set(sql, name);
    return name;
  };
}

type Named = Readonly<{ name: string; text: string }>;

/**
 * Finds the name and the text of a statement by its parts, most of which are the same literals each time. To put a text
 * of 12 kB together and look it up took 40 us of each statement, and this takes a tenth of it.
 */
export function namedTexts(): (statement: Prisma.Sql) => Named {
  const nameOf = statementNames();
  const known = new Map<number, Readonly<{ parts: readonly string[]; named: Named }>[]>();
  return (statement) => {
    const parts = statement.strings;
    const length = lengthOf(parts);
    const alike = known.get(length) ?? [];
    const found = alike.find((one) => isSame(one.parts, parts));
    if (found) return found.named;
    const { text } = statement;
    const named = { name: nameOf(text), text };
    if (named.name !== '') known.set(length, [...alike, { parts: [...parts], named }]);
    return named;
  };
}

function lengthOf(parts: readonly string[]): number {
  let length = parts.length;
  for (const part of parts) length += part.length;
  return length;
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  if (some.length !== others.length) return false;
  for (let at = 0; at < some.length; at++) if (some[at] !== others[at]) return false;
  return true;
}
