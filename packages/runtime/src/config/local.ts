import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export type Env = Readonly<Record<string, string | undefined>>;

/**
 * The folder of local state. It is beside the package.json of the workspace, so every process finds the same folder.
 */
export function localStateDir(env: Env): string {
  if (env.REPLENISH_DIR) return env.REPLENISH_DIR;
  for (let dir = import.meta.dirname; ; dir = dirname(dir)) {
    if (isWorkspaceRoot(dir)) return join(dir, '.replenish');
    if (dir === dirname(dir)) return join(process.cwd(), '.replenish');
  }
}

function isWorkspaceRoot(dir: string): boolean {
  try {
    return (
      (JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as { name?: string }).name === 'replenish'
    );
  } catch {
    return false;
  }
}

const OF_LOCAL_STORES = ['DATABASE_URL', 'DATABASE_APP_ROLE', 'REDIS_URL'];

/**
 * Settings that the launcher wrote to `.replenish/env.json` for processes that are started alone. When `env` names
 * another database, the process is not part of the local fleet, and it takes only the secrets from the file.
 */
export function localDefaults(env: Env): Record<string, string> {
  try {
    const left = JSON.parse(readFileSync(join(localStateDir(env), 'env.json'), 'utf8')) as Record<
      string,
      string
    >;
    if (!env.DATABASE_URL) return left;
    return Object.fromEntries(Object.entries(left).filter(([name]) => !OF_LOCAL_STORES.includes(name)));
  } catch {
    return {};
  }
}
