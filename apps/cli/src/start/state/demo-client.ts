import { createHash } from 'node:crypto';
import { readJson, writeJson } from './state.js';

/** The client that the printed curl line calls as: the same one at every start. */
export type DemoClient = Readonly<{ keyId: string; secret: string }>;

const FILE = 'demo-client.json';

/** The kept client, if it was made in this database: a folder outlives its database when DATABASE_URL changes. */
export function keptDemoClient(dir: string, databaseUrl: string): DemoClient | null {
  const kept = readJson<DemoClient & { database: string }>(dir, FILE);
  if (kept?.database !== markOf(databaseUrl)) return null;
  return { keyId: kept.keyId, secret: kept.secret };
}

export function keepDemoClient(dir: string, databaseUrl: string, client: DemoClient): void {
  writeJson(dir, FILE, { ...client, database: markOf(databaseUrl) });
}

/** Without the port, which the embedded database may change; with its password, which is new in a new one. */
function markOf(databaseUrl: string): string {
  const url = new URL(databaseUrl);
  if (url.hostname === '127.0.0.1') url.port = '';
  return createHash('sha256').update(url.href).digest('base64url');
}
