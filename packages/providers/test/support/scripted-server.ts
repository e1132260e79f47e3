import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Heard = Readonly<{
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
}>;
export type Script = (response: ServerResponse, heard: Heard) => unknown;

export type ScriptedServer = Readonly<{
  url: string;
  heard: Heard[];
  /** Sockets that the other side closed or reset before their answer was complete. */
  abandoned: () => number;
  /** From now on every request, read to its end, is answered so. */
  play: (script: Script) => void;
  close: () => Promise<void>;
}>;

/** A real HTTP server that answers what the test says. */
export async function openScriptedServer(): Promise<ScriptedServer> {
  const heard: Heard[] = [];
  let script: Script = (response) => response.writeHead(404).end();
  let abandoned = 0;
  const server = createServer(async (request, response) => {
    response.on('close', () => {
      if (!response.writableFinished) abandoned++;
    });
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method = '', url = '', headers } = request;
    const one = { method, url, headers, body: Buffer.concat(chunks).toString() };
    heard.push(one);
    await script(response, one);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heard,
    abandoned: () => abandoned,
    play(next) {
      script = next;
      heard.length = 0;
      abandoned = 0;
    },
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** A script that sends one status, body and headers. */
export const says =
  (status: number, body: unknown, headers: Record<string, string> = {}): Script =>
  (response) =>
    response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
