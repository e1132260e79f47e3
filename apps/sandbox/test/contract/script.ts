import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Answer = (response: ServerResponse) => void;

export type ScriptedProvider = Readonly<{
  url: string;
  /** The paths of the requests since `play`. */
  requests: string[];
  play: (answer: Answer) => void;
  close: () => Promise<void>;
}>;

/** A server that answers every request in the same way, after it has read the request. */
export async function openScript(): Promise<ScriptedProvider> {
  const requests: string[] = [];
  let answer: Answer = (response) => response.writeHead(404).end();
  const server = createServer(async (request, response) => {
    for await (const _chunk of request);
    requests.push(request.url ?? '');
    answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    play(next) {
      answer = next;
      requests.length = 0;
    },
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

export const says =
  (status: number, body: string, headers: Record<string, string> = {}): Answer =>
  (response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
