import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { root } from './source.js';

const folder = join(root, 'docs/alerts');
const copy = mkdtempSync(join(tmpdir(), 'replenish-alerts-'));
afterAll(() => rmSync(copy, { recursive: true }));

const promtool = (...args: string[]): string =>
  execFileSync('promtool', args, { encoding: 'utf8', stdio: 'pipe' });

test('promtool accepts the rules, and each alert fires for its fault only', () => {
  expect(promtool('check', 'rules', join(folder, 'rules.yml'))).toMatch(/SUCCESS: 11 rules found/);
  expect(promtool('test', 'rules', join(folder, 'rules.test.yml'))).toMatch(/SUCCESS/);
});

test('promtool finds a rule that does not fire any more', () => {
  const rules = readFileSync(join(folder, 'rules.yml'), 'utf8');
  writeFileSync(
    join(copy, 'rules.yml'),
    rules.replace('replenish_pending_beyond_sla) > 0', 'replenish_pending_beyond_sla) > 9'),
  );
  writeFileSync(join(copy, 'rules.test.yml'), readFileSync(join(folder, 'rules.test.yml'), 'utf8'));
  expect(() => promtool('test', 'rules', join(copy, 'rules.test.yml'))).toThrow(/ReplenishSlaBreach/);
});
