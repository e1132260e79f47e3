import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';

// The operating system gives outgoing connections their ports from 32768 on. A port below them is taken by no connection
// between this choice and the start of the process that listens on it.
const PORTS = [10_000, 32_767] as const;

/** A free port of 127.0.0.1. Another process that listens may take it before the caller does. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(...PORTS);
    if (await canListen(port)) return port;
  }
}

const canListen = (port: number): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(false) : reject(error),
    );
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });

/** The living processes whose command line or environment has `text`, to find processes that a run left behind. */
export function processesNaming(text: string): { pid: number; command: string }[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  return pids.flatMap((pid) => {
    const command = read(`/proc/${pid}/cmdline`);
    const named = command.includes(text) || read(`/proc/${pid}/environ`).includes(text);
    return named && command !== ''
      ? [{ pid: Number(pid), command: command.replaceAll('\0', ' ').trim() }]
      : [];
  });
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
