import {
  closeSync,
  copyFileSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { join } from 'node:path';

type LogLimits = Readonly<{ sizeMaxBytes: number; everyMs: number }>;

const desk: LogLimits = { sizeMaxBytes: 20 * 1024 * 1024, everyMs: 10_000 };

/** Looks at every log of the folder now and then, until it is told to stop. */
export function keepSmall(logsDir: string, { sizeMaxBytes, everyMs }: LogLimits = desk): () => void {
  const look = () => {
    try {
      const logs = readdirSync(logsDir).filter((name) => name.endsWith('.log'));
      for (const name of logs) rotate(join(logsDir, name), sizeMaxBytes);
    } catch {
      // A full disk, or a folder that somebody removed: no reason to end a fleet that works.
    }
  };
  look();
  const timer = setInterval(look, everyMs);
  return () => clearInterval(timer);
}

/**
 * Puts a log that has grown large aside as `.1`: two files a process are what a desk needs. Its process holds the file
 * open and appends to it, so it is copied and emptied rather than renamed; what is written in between is lost.
 */
function rotate(path: string, sizeMaxBytes: number): void {
  if (statSync(path).size <= sizeMaxBytes) return;
  copyFileSync(path, `${path}.1`);
  truncateSync(path);
}

// Twenty lines with a stack each, and then some.
const TAIL_BYTES = 64 * 1024;

export function lastLines(path: string, count: number): string {
  try {
    return tailOf(path).trimEnd().split('\n').slice(-count).join('\n');
  } catch {
    return '';
  }
}

function tailOf(path: string): string {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const tail = Buffer.alloc(Math.min(size, TAIL_BYTES));
    const read = readSync(file, tail, 0, tail.length, size - tail.length);
    return tail.toString('utf8', 0, read);
  } finally {
    closeSync(file);
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
