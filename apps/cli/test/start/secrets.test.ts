import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { keepSecrets, leaveSettings } from '../../src/start/state/secrets.js';

const given = { SANDBOX_WEBHOOK_SECRET: 'whsec_x' };
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'replenish-secrets-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

/** Makes and stores the secrets as a start does. Returns the stored master keys. */
function start(env: Record<string, string>): string | undefined {
  const values = keepSecrets(dir, { ...given, ...env });
  leaveSettings(dir, env, values);
  expect(values.MASTER_KEYS === undefined).toBe('MASTER_KEYS' in env || 'MASTER_KEY_FILE' in env);
  return JSON.parse(readFileSync(join(dir, 'env.json'), 'utf8')).MASTER_KEYS;
}

test('a master key is made at the first start and kept', () => {
  const made = start({});
  expect(made).toMatch(/^local:[A-Za-z0-9+/]{43}=$/);
  expect(start({})).toBe(made);
});

test('no master key is made when the environment sets one, and an earlier one is kept meanwhile', () => {
  expect(start({ MASTER_KEY_FILE: 'keys' })).toBeUndefined();
  const made = start({});
  expect(start({ MASTER_KEYS: 'other:x' })).toBe(made);
  expect(start({})).toBe(made);
});
