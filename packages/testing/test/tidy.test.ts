import { describe, expect, test } from '@jest/globals';
import { judges, type Rule, rules } from './house-rules.js';
import { readSource, readSources } from './source.js';

const everyRule = Object.entries<Rule>(rules);

describe('this repository', () => {
  const sources = readSources();

  test('is read completely', () => {
    const paths = sources.map(({ path }) => path);
    expect(paths).toContain('packages/domain/src/core/recharge.ts');
    expect(paths).toContain('apps/cli/src/main.ts');
    expect(paths).toEqual(expect.arrayContaining(Object.keys(judges)));
    expect(sources.flatMap(({ imports }) => imports).length).toBeGreaterThan(sources.length);
  });

  test.each(everyRule)('%s', (_, rule) => {
    expect(rule(sources)).toEqual([]);
  });
});

const lines = (count: number): string => 'x();\n'.repeat(count);

/** Sources that break each rule. They show that the rule still finds faults. */
const breaches: [rule: keyof typeof rules, path: string, text: string][] = [
  ['layersHold', 'packages/domain/src/core/a.ts', "import { join } from 'node:path';"],
  ['layersHold', 'packages/domain/src/core/a.ts', "import type { Row } from '../store/rows.js';"],
  ['layersHold', 'packages/domain/src/store/a.ts', "import { openQueues } from '@replenish/queues';"],
  ['layersHold', 'packages/providers/src/a.ts', "import { type Logger, newId } from '@replenish/runtime';"],
  ['layersHold', 'packages/providers/src/a.ts', "import express from 'express';"],
  ['layersHold', 'packages/runtime/src/a.ts', "import { openDomain } from '@replenish/domain';"],
  ['layersHold', 'apps/ingress/src/a.ts', "const { until } = await import('@replenish/testing');"],
  ['layersHold', 'packages/new/src/a.ts', "export * from 'node:fs';"],
  ['ownersHold', 'apps/ingress/src/a.ts', "import { Queue } from 'bullmq';"],
  ['ownersHold', 'apps/cli/src/a.ts', "export { PrismaPg } from '@prisma/adapter-pg';"],
  ['facesHold', 'apps/ingress/src/a.ts', "import { x } from '@replenish/runtime/dist/log.js';"],
  ['facesHold', 'apps/ingress/src/a.ts', "import { x } from '../../sandbox/src/store.js';"],
  ['noCycles', 'apps/ingress/src/a.ts', "import type { A } from './a.js';"],
  ['roomsImportDownward', 'apps/ingress/src/http/a.ts', "import { b } from '../docs/b.js';"],
  ['roomsImportDownward', 'apps/ingress/src/audit/a.ts', "import { b } from '../auth/b.js';"],
  ['roomsImportDownward', 'apps/ingress/src/attic/a.ts', 'export {};'],
  ['filesAreShort', 'apps/ingress/src/a.ts', lines(301)],
  ['functionsAreShort', 'apps/ingress/src/a.ts', `/* é */ const f = () => {\n${lines(49)}};`],
  ['functionsAreShort', 'apps/ingress/test/a.test.ts', `class A {\n  #b() {\n${lines(49)}}\n}`],
  ['environmentInMain', 'apps/ingress/src/a.ts', 'export const port = process.env.PORT;'],
  ['environmentInMain', 'apps/ingress/src/a.ts', "export const port = process['env'].PORT;"],
  ['environmentInMain', 'apps/ingress/src/a.ts', 'const { env } = process;'],
  ['noConsole', 'apps/ingress/src/a.ts', "console.log('here');"],
  ['secretsInConstantTime', 'packages/runtime/src/web/password.ts', 'export const isRight = () => true;'],
  ['secretsInConstantTime', 'apps/ingress/src/a.ts', 'export const isRight = given.equals(current);'],
  ['secretsInConstantTime', 'apps/ingress/src/a.ts', 'export const isRight = Buffer.compare(a, b) === 0;'],
  ['secretsInConstantTime', 'apps/ingress/src/a.ts', 'export const isRight = key.secret === given;'],
  ['secretsInConstantTime', 'apps/ingress/src/a.ts', "export const isRight = hmac.digest('hex') !== given;"],
  ['namesSaySomething', 'apps/ingress/src/http-utils.ts', 'export {};'],
  ['typeNamesAreUnique', 'apps/ingress/src/a.ts', 'interface Verdict {}'],
  ['typeNamesAreUnique', 'apps/ingress/src/a.ts', 'export class Verdict {}'],
  ['tablesHaveOneInserter', 'packages/domain/src/store/a.ts', 'const sql = `insert into nonce values (1)`;'],
  ['tablesHaveOneInserter', 'packages/domain/src/store/a.ts', 'db.nonce.create({ data });'],
];

/** Another source, which is given to the rules with each breach, because some rules compare sources. */
const neighbour = readSource(
  'packages/domain/src/store/clients/a.ts',
  'export type Verdict = string;\nconst sql = "insert into nonce (key_id) values ($1)";',
);

describe('a breach is found', () => {
  test.each(breaches)('%s in %s (%#)', (name, path, text) => {
    expect(rules[name]([neighbour, readSource(path, text)])).toHaveLength(1);
  });

  test('in a folder of too many files', () => {
    const files = (count: number) =>
      Array.from({ length: count }, (_, at) => readSource(`apps/ingress/src/http/a${at}.ts`, 'export {};'));
    expect(rules.foldersAreSmall(files(12))).toEqual([]);
    expect(rules.foldersAreSmall(files(13))).toHaveLength(1);
  });

  test('for each rule', () => {
    const found = [...breaches.map(([name]) => name), 'foldersAreSmall'];
    expect(new Set(found)).toEqual(new Set(Object.keys(rules)));
  });

  test('and allowed code is not called a breach', () => {
    const allowed = [
      readSource('apps/ingress/src/main.ts', "await runProcess('ingress', process.env, start);"),
      readSource(
        'apps/ingress/src/http/b.ts',
        "export const isThere = secret !== undefined && signature !== '';",
      ),
      readSource('packages/providers/src/a.ts', "import type { Logger } from '@replenish/runtime';"),
      readSource(
        'apps/ingress/src/http/a.ts',
        `const f = () => {\n${lines(48)}};\nimport { b } from './b.js';`,
      ),
      readSource('apps/ingress/test/a.test.ts', `type Verdict = 1;\ndescribe('a', () => {\n${lines(60)}});`),
      readSource('packages/testing/src/a.ts', 'const sql = `insert into nonce values (1)`;'),
      neighbour,
    ];
    for (const [, rule] of everyRule) expect(rule(allowed)).toEqual([]);
  });
});
