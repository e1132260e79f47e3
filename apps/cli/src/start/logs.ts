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

const oneMachine: LogLimits = { sizeMaxBytes: 20 * 1024 * 1024, everyMs: 10_000 };

/** Checks the size of every log of the folder at intervals, until it is stopped. */
export function keepSmall(logsDir: string, { sizeMaxBytes, everyMs }: LogLimits = oneMachine): () => void {
  const look = () => {
    try {
      const logs = readdirSync(logsDir).filter((name) => name.endsWith('.log'));
      for (const name of logs) rotate(join(logsDir, name), sizeMaxBytes);
    } catch {
      // The disk may be full or the folder removed. The fleet also works without rotated logs.
    }
  };
  look();
  const timer = setInterval(look, everyMs);
  return () => clearInterval(timer);
}

/**
 * Moves the content of a large log to `<name>.1`. Two files per process are enough for one machine. The process keeps
 * its log open and appends to it, so the log is copied and emptied, not renamed. Lines that are written in between are
 * lost.
 */
function rotate(path: string, sizeMaxBytes: number): void {
  if (statSync(path).size <= sizeMaxBytes) return;
  copyFileSync(path, `${path}.1`);
  truncateSync(path);
}

// The part of a log that is searched. It holds more than twenty lines with a stack trace each.
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

/** The reason in the last lines of a log. Null when they give none. */
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
