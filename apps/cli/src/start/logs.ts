import { readFileSync, renameSync, statSync } from 'node:fs';

const SIZE_MAX_BYTES = 10 * 1024 * 1024;

/** Puts a log that has grown large aside as `.1`, once: two files a process are what a desk needs. */
export function rotate(path: string): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > SIZE_MAX_BYTES) renameSync(path, `${path}.1`);
}

export function lastLines(path: string, count: number): string {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-count).join('\n');
  } catch {
    return '';
  }
}
