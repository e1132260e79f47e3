import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The folder of the crash points. This file is loaded only with `node --conditions=crash-points`, which only the tests
 * pass.
 */
const folder = process.argv.find((argument) => argument.startsWith('--crash-points='))?.split('=')[1];

/**
 * Kills this process as `kill -9` would, if the crash folder has a file of this name. The file holds the number of
 * kills that are left, so that a restarted process runs again after the last one.
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
