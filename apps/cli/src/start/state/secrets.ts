import { randomBytes } from 'node:crypto';
import { type Env, hashPassword } from '@replenish/runtime';
import { readJson, writeJson } from './state.js';

type Values = Readonly<Record<string, string>>;

/** Settings by their environment names; `readConfig` takes them from here for a process that starts alone. */
const FILE = 'env.json';

export type Secrets = Readonly<{
  values: Values;
  /** The dashboard's new password, in the clear, on the one start that made it. */
  newPassword: string | null;
}>;

/** The secrets of this machine: what the environment does not give is made once and kept. */
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
 * Leaves the settings for processes that start alone, and nothing of an earlier start that is no longer true. A master
 * key stays, also while the environment gives another: what it sealed would be lost with it.
 */
export function leaveSettings(dir: string, env: Env, values: Values): void {
  const { MASTER_KEYS } = readJson<Values>(dir, FILE) ?? {};
  writeJson(dir, FILE, {
    ...(MASTER_KEYS && { MASTER_KEYS }),
    ...values,
    ...(env.REDIS_URL ? { REDIS_URL: env.REDIS_URL } : {}),
  });
}
