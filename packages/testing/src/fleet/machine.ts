import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';

/** A port of 127.0.0.1 that nobody listens on now. Another process may take it before its asker does. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

/** Living processes, zombies aside, whose command line or environment names `text`: who was left behind by a run. */
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
