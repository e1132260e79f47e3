import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The folder of the files that are kept between starts. Only its owner can read it. */
export function openStateDir(dir: string): string {
  mkdirSync(join(dir, 'logs'), { recursive: true, mode: 0o700 });
  chmodSync(dir, 0o700);
  return dir;
}

export function readJson<T>(dir: string, name: string): T | null {
  try {
    return JSON.parse(readFileSync(join(dir, name), 'utf8')) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new Error(`${join(dir, name)} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

/** Writes a new file and renames it, so that readers see the old text or the new one, and never a part of it. */
export function writeJson(dir: string, name: string, value: unknown): void {
  const path = join(dir, name);
  writeFileSync(`${path}.new`, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
