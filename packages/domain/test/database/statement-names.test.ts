import { expect, test } from '@jest/globals';
import { Prisma } from '../../src/generated/client.js';
import { namedTexts } from '../../src/store/database/statement-names.js';

test('a statement keeps its name for other values, and the text of its parts', () => {
  const of = namedTexts();
  const select = (id: number, part: Prisma.Sql) => of(Prisma.sql`select ${id} where ${part} and ${id}`);
  const [first, again] = [select(1, Prisma.sql`a = ${2}`), select(3, Prisma.sql`a = ${4}`)];
  expect(first).toEqual({ text: 'select $1 where a = $2 and $3', name: expect.stringMatching(/^r_/) });
  expect(again).toEqual(first);
});

test('statements of equal length and number of parts have texts and names of their own', () => {
  const of = namedTexts();
  const found = [
    of(Prisma.sql`select ${1} + ${2}`),
    of(Prisma.sql`select ${1} - ${2}`),
    of(Prisma.sql`select${1} + ${2} `),
    of(Prisma.sql`select ${1} + ${2}`),
  ];
  expect(found.map(({ text }) => text)).toEqual([
    'select $1 + $2',
    'select $1 - $2',
    'select$1 + $2 ',
    'select $1 + $2',
  ]);
  expect(new Set(found.map(({ name }) => name)).size).toBe(3);
});

test('beyond 200 texts a statement has its text and no name', () => {
  const of = namedTexts();
  const all = Array.from({ length: 205 }, (_, n) => of(Prisma.raw(`select ${n}`)));
  expect(all.filter(({ name }) => name === '').map(({ text }) => text)).toEqual([
    'select 200',
    'select 201',
    'select 202',
    'select 203',
    'select 204',
  ]);
  expect(of(Prisma.raw('select 7'))).toEqual(all[7]);
});
