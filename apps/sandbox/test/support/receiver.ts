import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export const SECRET = `whsec_${Buffer.from('a secret that only tests ever use').toString('base64')}`;

export type Received = Readonly<{
  id: string;
  type: string;
  timestamp: string;
  atMs: number;
  body: string;
  order: Readonly<{ reference: string; status: string; amount: number; charges: { amount: number }[] }>;
}>;

export type Receiver = Readonly<{
  url: string;
  received: Received[];
  /** Statuses of the next answers. When the list is empty, the answer is 204. `silence` means no answer. */
  answers: (number | 'silence')[];
  of: (reference: string) => Received[];
  close: () => Promise<void>;
}>;

/**
 * A server that receives webhooks. It verifies signatures with its own code, so that the tests do not rely on the code
 * under test.
 */
export async function openReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  const answers: (number | 'silence')[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    if (!isAuthentic(request.headers, body)) return response.writeHead(401).end();
    const { type, timestamp, data } = JSON.parse(body);
    const id = String(request.headers['webhook-id']);
    received.push({ id, type, timestamp, atMs: Date.now(), body, order: data });
    const answer = answers.shift() ?? 204;
    if (answer !== 'silence') response.writeHead(answer).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/sandbox`,
    received,
    answers,
    of: (reference) => received.filter(({ order }) => order.reference === reference),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function isAuthentic(headers: IncomingHttpHeaders, body: string): boolean {
  const id = headers['webhook-id'];
  const timestamp = headers['webhook-timestamp'];
  const [version, given = ''] = String(headers['webhook-signature']).split(',');
  if (version !== 'v1' || Math.abs(Date.now() / 1000 - Number(timestamp)) > 300) return false;
  const hmac = createHmac('sha256', Buffer.from(SECRET.replace('whsec_', ''), 'base64'));
  const expected = hmac.update(`${id}.${timestamp}.`).update(body).digest();
  const signature = Buffer.from(given, 'base64');
  return signature.length === expected.length && timingSafeEqual(signature, expected);
}
