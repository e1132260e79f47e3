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

/** Why a process ended, when its last words say it. */
export function lastFault(path: string): string | null {
  for (const line of lastLines(path, 5).split('\n').reverse()) {
    const said = record(line);
    if (said?.level === 'fatal') return said.err?.message ?? said.msg ?? null;
  }
  return null;
}

function record(line: string): { level?: string; msg?: string; err?: { message?: string } } | null {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
