import { createHash } from 'node:crypto';
import { readJson, writeJson } from './state.js';

/** The client of the printed curl line. It is the same at every start. */
export type DemoClient = Readonly<{ keyId: string; secret: string }>;

const FILE = 'demo-client.json';

/** The stored demo client, unless it belongs to another database: DATABASE_URL may have changed. */
export function keptDemoClient(dir: string, databaseUrl: string): DemoClient | null {
  const kept = readJson<DemoClient & { database: string }>(dir, FILE);
  if (kept?.database !== markOf(databaseUrl)) return null;
  return { keyId: kept.keyId, secret: kept.secret };
}

export function keepDemoClient(dir: string, databaseUrl: string, client: DemoClient): void {
  writeJson(dir, FILE, { ...client, database: markOf(databaseUrl) });
}

/**
 * Identifies a database. The port is left out, since the embedded database may change it. The password is included,
 * since a new database has a new password.
 */
function markOf(databaseUrl: string): string {
  const url = new URL(databaseUrl);
  if (url.hostname === '127.0.0.1') url.port = '';
  return createHash('sha256').update(url.href).digest('base64url');
}
