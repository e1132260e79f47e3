import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';

/** A free port of 127.0.0.1. Another process may take it before the caller does. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
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
