import { connect } from 'node:net';
import { expect } from '@jest/globals';
import type { Answer } from './ingress.js';

/** Internal details: stacks, SQL, files, libraries, tables. They must not be in an answer. */
const INTERNAL =
  /\bat .+:\d+:\d+|node_modules|\.[jt]s\b|prisma|select |insert |\brelation\b|recharge_|ledger_|api_key|ECONN|postgres|zod/i;

/** Expects a problem (RFC 9457) with this status and code, complete and without internal details. */
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

/** Sends raw bytes, since HTTP clients refuse to, and returns the whole answer. */
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
