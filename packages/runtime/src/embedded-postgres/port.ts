import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';

const HOST = '127.0.0.1';

/** The port of the last start if it is still free, so that noted URLs stay valid. Otherwise another free port. */
export async function choosePort(dir: string, wished: number | undefined): Promise<number> {
  if (wished !== undefined) return wished;
  const file = join(dir, 'port');
  const last = Number.parseInt(await readFile(file, 'utf8').catch(() => '0'), 10);
  const port = (last > 0 ? await free(last) : null) ?? (await free(0));
  if (port === null) throw new Error(`no free port on ${HOST}`);
  await writeFile(file, `${port}\n`);
  return port;
}

/** The port if it is free, null if it is taken. For port 0 the system chooses a free one. */
const free = (port: number): Promise<number | null> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen({ port, host: HOST, exclusive: true }, () => {
      const address = server.address() as { port: number };
      server.close(() => resolve(address.port));
    });
  });
