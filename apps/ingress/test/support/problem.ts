import { connect } from 'node:net';
import { expect } from '@jest/globals';
import type { Answer } from './ingress.js';

/** Traces of what is inside: stacks, SQL, files, libraries, tables. No caller has a use for them. */
const INTERNAL =
  /\bat .+:\d+:\d+|node_modules|\.[jt]s\b|prisma|select |insert |\brelation\b|recharge_|ledger_|api_key|ECONN|postgres|zod/i;

/** A whole problem of RFC 9457 in the house's form, with this status and code, and with nothing of our insides. */
export function expectProblem({ status, headers, body, text }: Answer, wanted: number, code: string): void {
  expect({ status, code: body.code, text }).toEqual({ status: wanted, code, text });
  expect(headers.get('content-type')).toBe('application/problem+json');
  expect(body).toEqual({
    type: `/docs/errors/${code}`,
    title: expect.stringMatching(/./),
    status: wanted,
    detail: expect.stringMatching(/./),
    code,
    correlationId: headers.get('x-correlation-id'),
    ...(body.errors && { errors: body.errors }),
  });
  for (const error of body.errors ?? [])
    expect(error).toEqual({ path: expect.any(String), message: expect.stringMatching(/./) });
  expect(text).not.toMatch(INTERNAL);
}

/** Writes bytes as they are, which no HTTP client would, and gives back everything that is answered. */
export function sendBytes(url: string, bytes: string | Buffer): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    let heard = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk) => {
      heard += chunk;
    });
    socket.on('end', () => resolve(heard));
    socket.on('error', reject);
  });
}
