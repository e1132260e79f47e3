import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@replenish/runtime';
import express, { type Router } from 'express';
import {
  type AlipayDialect,
  type AlipayDialectOptions,
  openAlipayDialect,
} from '../../src/alipay/dialect.js';
import {
  openStripeDialect,
  type StripeDialect,
  type StripeDialectOptions,
} from '../../src/stripe/dialect.js';

export const newFolder = () => mkdtempSync(join(tmpdir(), 'replenish-dialect-'));
export const dropFolder = (folder: string) => rmSync(folder, { recursive: true, force: true });

const base = (dataDir: string) => ({
  host: '127.0.0.1',
  port: 0,
  dataDir,
  log: createLogger('sandbox', 'silent'),
  outage: { mode: 'none' as const },
});

export const WEBHOOK_SECRET = 'whsec_only_tests_ever_use_this';

export const openStripeFor = (
  dataDir: string,
  changes: Partial<StripeDialectOptions> = {},
): Promise<StripeDialect> =>
  openStripeDialect({
    ...base(dataDir),
    secretKey: 'sk_test_simulator',
    webhookSecret: WEBHOOK_SECRET,
    webhookUrl: null,
    paysAfterMs: null,
    searchDelayMs: 0,
    retryFirstMs: 20,
    laterNewsMs: 200,
    repeatMs: 20,
    ...changes,
  });

export const openAlipayFor = (
  dataDir: string,
  changes: Partial<AlipayDialectOptions> = {},
): Promise<AlipayDialect> =>
  openAlipayDialect({
    ...base(dataDir),
    appId: '2021000000000001',
    sellerId: '2088000000000009',
    gapsMs: [20, 40, 40],
    lateMs: 200,
    repeatMs: 20,
    ...changes,
  });

export type ControlFace = Readonly<{
  get: (path: string) => Promise<ReturnType<typeof JSON.parse>>;
  post: (path: string, body: unknown) => Promise<ReturnType<typeof JSON.parse>>;
  close: () => Promise<void>;
}>;

/** Serves the control API of a dialect. */
export async function serveControl(control: Router): Promise<ControlFace> {
  const server = createServer(express().use(control));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    get: async (path) => (await fetch(url + path)).json(),
    post: async (path, body) => {
      const headers = { 'content-type': 'application/json' };
      return (await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) })).json();
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export type RawMessage = Readonly<{ headers: Record<string, string | string[] | undefined>; body: Buffer }>;

/**
 * A server that keeps what it receives. Each entry of `answers` is the answer to one message that names the order `of`.
 * Every other message gets `success`, such as late news of an earlier test's order.
 */
export async function openMailbox() {
  const received: RawMessage[] = [];
  const answers: { of: string; status: number; body: string }[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const message = Buffer.concat(chunks);
    received.push({ headers: request.headers, body: message });
    const next = answers.findIndex(({ of }) => message.includes(of));
    const { status, body } = answers.splice(next, next < 0 ? 0 : 1)[0] ?? { status: 200, body: 'success' };
    response.writeHead(status).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks`,
    ...{ received, answers },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export const soon = (limitMs = 5_000): AbortSignal => AbortSignal.timeout(limitMs);
