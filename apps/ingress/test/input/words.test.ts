import { expect, test } from '@jest/globals';
import { z } from 'zod';
import * as accounts from '../../src/accounts/input.js';
import * as audit from '../../src/audit/input.js';
import { validated } from '../../src/input/fields.js';
import * as recharges from '../../src/recharges/input.js';

const exported: unknown[] = Object.values({ ...accounts, ...audit, ...recharges });
const schemas = exported.filter((one): one is z.ZodObject => one instanceof z.ZodObject);

const values = [
  ...[undefined, null, true, '', 'x', 'x'.repeat(5_000), '\u0000', 'ABC', '2026-13-01', 'acct 1'],
  ...[0, -1, 1.5, 1e30, [], ['a', 'b'], {}, { a: 1 }],
];

/** The messages about a value as a client gets them. */
function messagesOf(schema: z.ZodType, value: unknown): string[] {
  try {
    validated(schema, value);
    return [];
  } catch (error) {
    return (error as { errors: { message: string }[] }).errors.map(({ message }) => message);
  }
}

test('no message about a field is in the words of the library that checks it', () => {
  expect(schemas.length).toBeGreaterThan(3);
  const messages = new Set(
    schemas.flatMap((schema) =>
      [...Object.keys(schema.shape), 'unknownField'].flatMap((name) =>
        values.flatMap((value) => messagesOf(schema, { [name]: value })),
      ),
    ),
  );
  expect(messages.size).toBeGreaterThan(10);
  expect([...messages].filter((message) => /^[A-Z]|expected|Invalid|<=|>=/.test(message))).toEqual([]);
});
