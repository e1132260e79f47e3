import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type RecordedRequest = Readonly<{
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
}>;
export type Script = (response: ServerResponse, request: RecordedRequest) => unknown;

export type ScriptedServer = Readonly<{
  url: string;
  requests: RecordedRequest[];
  /** The number of sockets that the client closed or reset before the answer was complete. */
  abandoned: () => number;
  /** Sets the script that answers all further requests. A request is read to its end first. */
  play: (script: Script) => void;
  close: () => Promise<void>;
}>;

/** Opens a real HTTP server whose answers are set by the test. */
export async function openScriptedServer(): Promise<ScriptedServer> {
  const requests: RecordedRequest[] = [];
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
    requests.push(one);
    await script(response, one);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    abandoned: () => abandoned,
    play(next) {
      script = next;
      requests.length = 0;
      abandoned = 0;
    },
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** A script that answers with this status, body and headers. */
export const says =
  (status: number, body: unknown, headers: Record<string, string> = {}): Script =>
  (response) =>
    response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
