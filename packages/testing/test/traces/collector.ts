import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

type Value = Readonly<{ stringValue?: string; intValue?: number | string }>;
type Attribute = Readonly<{ key: string; value: Value }>;

/** A span in the JSON form of OTLP. */
export type CollectedSpan = Readonly<{
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  attributes: readonly Attribute[];
  links?: readonly Readonly<{ traceId: string; spanId: string }>[];
  service: string;
}>;

type ExportRequest = Readonly<{
  resourceSpans: readonly Readonly<{
    resource: Readonly<{ attributes: readonly Attribute[] }>;
    scopeSpans: readonly Readonly<{ spans: readonly Omit<CollectedSpan, 'service'>[] }>[];
  }>[];
}>;

/** A collector of traces that keeps what arrives at `/v1/traces`. Every other POST counts as a callback. */
export class Collector {
  readonly spans: CollectedSpan[] = [];
  readonly callbacks: IncomingHttpHeaders[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(): Promise<Collector> {
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      if (request.url === '/v1/traces')
        collector.#take(JSON.parse(Buffer.concat(chunks).toString()) as ExportRequest);
      else collector.callbacks.push(request.headers);
      response.setHeader('content-type', 'application/json').end('{}');
    });
    const collector = new Collector(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return collector;
  }

  get place(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #take({ resourceSpans }: ExportRequest): void {
    for (const { resource, scopeSpans } of resourceSpans) {
      const service = String(attributeOf(resource, 'service.name'));
      for (const { spans } of scopeSpans) this.spans.push(...spans.map((span) => ({ ...span, service })));
    }
  }
}

export function attributeOf(
  of: Readonly<{ attributes: readonly Attribute[] }>,
  name: string,
): string | number | undefined {
  const value = of.attributes.find(({ key }) => key === name)?.value;
  return value?.stringValue ?? value?.intValue;
}
