import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { readSources, root } from './source.js';

const design = readFileSync(join(root, 'docs/design.md'), 'utf8');

/** The steps of each recipe of docs/design.md, by its heading. */
const recipes = new Map(
  [...design.matchAll(/^### (.+)\n([\s\S]*?)(?=^##)/gm)].map(([, heading = '', body = '']) => [
    heading,
    body.split(/^\d\. /m).slice(1),
  ]),
);

/** Paths in backticks. A path with a placeholder such as `<room>` names files that the change creates. */
const pathsIn = (text: string): string[] =>
  [...text.matchAll(/`((?:apps|packages|prisma|docs)\/[^`]+)`/g)].map(([, path = '']) => path);
const isFixed = (path: string): boolean => !path.includes('<');

const mentions = (path: string, names: RegExp): boolean => names.test(readFileSync(join(root, path), 'utf8'));

const migrations = readdirSync(join(root, 'prisma/migrations'))
  .map((name) => `prisma/migrations/${name}/migration.sql`)
  .filter((path) => existsSync(join(root, path)));

test('five recipes say which files a change needs', () => {
  expect([...recipes.keys()]).toEqual([
    'A field of a recharge',
    'A provider',
    'A piece of news',
    'A route',
    'An invariant',
  ]);
});

test.each([...recipes])('%s: at most five steps, each with a file that exists', (_, steps) => {
  expect(steps.length).toBeGreaterThan(0);
  expect(steps.length).toBeLessThanOrEqual(5);
  expect(steps.filter((step) => !/`[^`]+\.(ts|md|sql|prisma)`/.test(step))).toEqual([]);
  const missing = pathsIn(steps.join('\n')).filter((path) => isFixed(path) && !existsSync(join(root, path)));
  expect(missing).toEqual([]);
});

describe('the field that the recipe names as its example', () => {
  const steps = recipes.get('A field of a recharge')!;
  const named = pathsIn(steps.join('\n'));
  const example = /\b(?:productType|product_type)\b/;
  const shipped = readSources()
    .map(({ path }) => path)
    .filter((path) => /^(apps|packages)\/(?!testing\/)[^/]+\/src\//.test(path));

  test('is in the source files of the recipe, and in no other', () => {
    const inSources = [...shipped, 'prisma/schema.prisma'].filter((path) => mentions(path, example));
    expect(new Set(inSources)).toEqual(new Set(named.filter(isFixed)));
  });

  test('has its column from one migration', () => {
    expect(named.filter((path) => !isFixed(path))).toEqual(['prisma/migrations/<time>_<name>/migration.sql']);
    expect(migrations.filter((path) => mentions(path, example))).toHaveLength(1);
  });
});

test('the glossary opens the page with twenty words', () => {
  const [, glossary = ''] = /^## Glossary\n([\s\S]*?)(?=^## )/m.exec(design) ?? [];
  const words = [...glossary.matchAll(/^\| ([a-z ]+?) +\| [^|]+\|$/gm)].map(([, word]) => word);
  expect(words.filter((word) => word !== 'word')).toHaveLength(20);
});
