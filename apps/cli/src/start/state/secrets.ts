import { randomBytes } from 'node:crypto';
import { type Env, hashPassword } from '@replenish/runtime';
import { readJson, writeJson } from './state.js';

type Values = Readonly<Record<string, string>>;

/** Settings by their names in the environment. `readConfig` reads this file for a process that is started alone. */
const FILE = 'env.json';

export type Secrets = Readonly<{
  values: Values;
  /** The new password of the dashboard in plain text. Null unless this start made it. */
  newPassword: string | null;
}>;

/** The secrets of this machine. Secrets that the environment does not set are made once and kept. */
export async function keepSecrets(dir: string, env: Env): Promise<Secrets> {
  const kept = readJson<Values>(dir, FILE) ?? {};
  const { SANDBOX_WEBHOOK_SECRET, DASHBOARD_PASSWORD_HASH, MASTER_KEYS } = kept;
  const values: Record<string, string> = {};
  if (!env.SANDBOX_WEBHOOK_SECRET) {
    values.SANDBOX_WEBHOOK_SECRET = SANDBOX_WEBHOOK_SECRET ?? `whsec_${randomBytes(32).toString('base64')}`;
  }
  if (!env.MASTER_KEYS && !env.MASTER_KEY_FILE) {
    values.MASTER_KEYS = MASTER_KEYS ?? `local:${randomBytes(32).toString('base64')}`;
  }
  let newPassword: string | null = null;
  if (!env.DASHBOARD_PASSWORD_HASH) {
    if (!DASHBOARD_PASSWORD_HASH) newPassword = randomBytes(12).toString('base64url');
    values.DASHBOARD_PASSWORD_HASH = DASHBOARD_PASSWORD_HASH ?? (await hashPassword(newPassword!));
  }
  return { values, newPassword };
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
