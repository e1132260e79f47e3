import { writeSync } from 'node:fs';

/** The methods that pino calls on its destination. */
export type LineOutput = Readonly<{
  write: (line: string) => void;
  flush: () => void;
  flushSync: () => void;
}>;

// Writing a single line costs a system call, a twentieth of the cost of a request. So lines are collected for a tenth
// of a second. They are written earlier if the buffer is full or the process ends. Only `kill -9` loses the last lines.
const FLUSH_EVERY_MS = 100;
const FLUSH_AT_CHARS = 32_768;
// PATIENCE_MS: if the reader of a pipe does not read for this time, it counts as gone. PAUSE_MS: the time after which a
// full disk is tried again.
const PATIENCE_MS = 1_000;
const PAUSE_MS = 5_000;

/**
 * Collects lines and writes them to a file descriptor. Lines that cannot be written are dropped, so that a full disk
 * does not stop the process. Their count is logged once writing works again.
 * sonic-boom is not used: on a full disk it retries for ever and blocks the event loop. It also measures its whole
 * buffer with every line, which caused a fifth of all allocations of the ingress.
 */
export function openLineOutput(fd: number): LineOutput {
  let lines: string[] = [];
  let chars = 0;
  let lost = 0;
  let isTorn = false;
  let pausedUntilMs = 0;
  const flush = (): void => {
    if (chars === 0) return;
    const count = lines.length;
    const text = lines.join('');
    lines = [];
    chars = 0;
    if (performance.now() < pausedUntilMs) {
      lost += count;
      return;
    }
    const output = (isTorn ? '\n' : '') + (lost > 0 ? lostLine(lost) : '') + text;
    const left = writeAll(fd, Buffer.from(output));
    isTorn = left > 0;
    lost = isTorn ? lost + count : 0;
    if (isTorn) pausedUntilMs = performance.now() + PAUSE_MS;
  };
  setInterval(flush, FLUSH_EVERY_MS).unref();
  process.on('exit', flush);
  return {
    write: (line) => {
      lines.push(line);
      chars += line.length;
      if (chars >= FLUSH_AT_CHARS) flush();
    },
    flush,
    flushSync: flush,
  };
}

const lostLine = (lost: number): string =>
  `${JSON.stringify({ level: 'error', time: new Date().toISOString(), lost, msg: 'log lines could not be written' })}\n`;

const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** Returns the number of bytes that could not be written. A full pipe (EAGAIN) is retried for PATIENCE_MS. */
function writeAll(fd: number, bytes: Buffer): number {
  const untilMs = performance.now() + PATIENCE_MS;
  let at = 0;
  while (at < bytes.length) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      const isFull = (error as NodeJS.ErrnoException).code === 'EAGAIN';
      if (!isFull || performance.now() >= untilMs) return bytes.length - at;
      Atomics.wait(sleeper, 0, 0, 5);
    }
  }
  return 0;
}
