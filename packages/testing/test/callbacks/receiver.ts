import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Heard = Readonly<{
  path: string;
  headers: Readonly<Record<string, string>>;
  text: string;
  body: Readonly<{ type: string; timestamp: string; data: Readonly<Record<string, unknown>> }>;
  /** When the request arrived, by the monotonic clock and by the wall clock. */
  atMs: number;
  at: number;
}>;

/** What a receiver does with the nth request of a path, from 1. A number is the status that it answers. */
export type Manners = (request: Heard, nth: number, response: ServerResponse) => number | undefined;

/** A client's server that hears callbacks. */
export class Receiver {
  readonly heard: Heard[] = [];
  manners: Manners = () => 204;
  private readonly counts = new Map<string, number>();

  private constructor(private readonly server: Server) {}

  static async open(): Promise<Receiver> {
    const server = createServer((request, response) => void receiver.take(request, response));
    const receiver = new Receiver(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return receiver;
  }

  /** `host:port`, as CALLBACK_ALLOW names it. */
  get place(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  url(path: string): string {
    return `http://${this.place}${path}`;
  }

  at(path: string): readonly Heard[] {
    return this.heard.filter((one) => one.path === path);
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) text += chunk;
    const path = request.url!;
    const headers = request.headers as Record<string, string>;
    const heard = { path, headers, text, body: JSON.parse(text), atMs: performance.now(), at: Date.now() };
    const nth = (this.counts.get(path) ?? 0) + 1;
    this.counts.set(path, nth);
    this.heard.push(heard);
    const status = this.manners(heard, nth, response);
    if (status !== undefined) response.writeHead(status).end();
  }
}
