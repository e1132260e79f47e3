import { randomBytes } from 'node:crypto';
import type { Env } from '@replenish/runtime';
import { readJson, writeJson } from './state.js';

type Values = Readonly<Record<string, string>>;

/** Settings by their names in the environment. `readConfig` reads this file for a process that is started alone. */
const FILE = 'env.json';

/** The secrets of this machine. Secrets that the environment does not set are made once and kept. */
export function keepSecrets(dir: string, env: Env): Values {
  const kept = readJson<Values>(dir, FILE) ?? {};
  const { SANDBOX_WEBHOOK_SECRET, MASTER_KEYS } = kept;
  const values: Record<string, string> = {};
  if (!env.SANDBOX_WEBHOOK_SECRET) {
    values.SANDBOX_WEBHOOK_SECRET = SANDBOX_WEBHOOK_SECRET ?? `whsec_${randomBytes(32).toString('base64')}`;
  }
  if (!env.MASTER_KEYS && !env.MASTER_KEY_FILE) {
    values.MASTER_KEYS = MASTER_KEYS ?? `local:${randomBytes(32).toString('base64')}`;
  }
  return values;
}

/**
 * Stores the settings for processes that are started alone, and removes those of earlier starts that no longer hold. A
 * master key is kept even while the environment sets another one. Without it, the secrets that it sealed would be lost.
 */
export function leaveSettings(dir: string, env: Env, values: Values): void {
  const { MASTER_KEYS } = readJson<Values>(dir, FILE) ?? {};
  writeJson(dir, FILE, {
    ...(MASTER_KEYS && { MASTER_KEYS }),
    ...values,
    ...(env.REDIS_URL ? { REDIS_URL: env.REDIS_URL } : {}),
  });
}
