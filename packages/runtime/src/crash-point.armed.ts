import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Chosen only by `node --conditions=crash-points`, which no script of this project passes but its tests. */
const folder = process.argv.find((argument) => argument.startsWith('--crash-points='))?.split('=')[1];

/**
 * Kills this process as `kill -9` would, if a file of this name lies in the crash folder.
 * The file holds how many times it shall happen, so that a restarted process does not die for ever.
 */
export function crashPoint(name: string): void {
  if (!folder) return;
  const file = join(folder, name);
  const left = read(file);
  if (left < 1) return;
  if (left === 1) rmSync(file, { force: true });
  else writeFileSync(file, String(left - 1));
  process.kill(process.pid, 'SIGKILL');
}

function read(file: string): number {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return 0;
  }
}
