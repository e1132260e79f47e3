import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const program = join(import.meta.dirname, 'local-value.mjs');

test('work finds its value though other work ends before it, and afterwards no hook runs for the promises', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [program]);
  const found = { short: 'short', outside: null, long: 'long', after: null, isHooked: false };
  expect(JSON.parse(stdout)).toEqual(found);
});
