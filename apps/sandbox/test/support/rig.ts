import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@replenish/runtime';
import { openSandbox, type Sandbox, type SandboxServerOptions } from '../../src/sandbox.js';
import { openReceiver, type Receiver, SECRET } from './receiver.js';

/** The answer to a call. The status is `none` if the call ended without an answer. */
export type CallResult = Readonly<{
  status: number | 'none';
  headers: Headers;
  body: ReturnType<typeof JSON.parse>;
}>;

export class Rig {
  sandbox!: Sandbox;
  readonly receiver: Receiver;
  readonly dataDir = mkdtempSync(join(tmpdir(), 'replenish-sandbox-'));
  readonly #timing: SandboxServerOptions['timing'];
  #n = 0;

  constructor(receiver: Receiver, timing: SandboxServerOptions['timing']) {
    this.receiver = receiver;
    this.#timing = timing;
  }

  async start(): Promise<void> {
    this.sandbox = await openSandbox({
      host: '127.0.0.1',
      port: 0,
      dataDir: this.dataDir,
      webhookSecret: SECRET,
      log: createLogger('sandbox', 'silent'),
      timing: this.#timing ?? {},
    });
  }

  async close(): Promise<void> {
    await this.sandbox.close();
    await this.receiver.close();
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  newReference(): string {
    return `ref-${process.pid}-${this.#n++}`;
  }

  body(reference: string, more: Record<string, unknown> = {}): Record<string, unknown> {
    return {
      reference,
      accountId: 'acct-1001',
      amount: 4999,
      currency: 'USD',
      paymentMethod: 'sandbox',
      notifyUrl: this.receiver.url,
      ...more,
    };
  }

  submit(reference: string, more: Record<string, unknown> = {}, timeoutMs = 5_000): Promise<CallResult> {
    return this.call('POST', '/v1/orders', {
      json: this.body(reference, more),
      headers: { 'idempotency-key': reference },
      timeoutMs,
    });
  }

  query(reference: string, timeoutMs = 5_000): Promise<CallResult> {
    return this.call('GET', `/v1/orders?reference=${reference}`, { timeoutMs });
  }

  outage(mode: unknown): Promise<CallResult> {
    return this.call('POST', '/_control/outage', { json: { mode } });
  }

  async call(
    method: string,
    path: string,
    more: { json?: unknown; text?: string; headers?: Record<string, string>; timeoutMs?: number } = {},
  ): Promise<CallResult> {
    try {
      const answer = await fetch(this.sandbox.url + path, {
        method,
        headers: { 'content-type': 'application/json', ...more.headers },
        ...(method === 'GET' ? {} : { body: more.text ?? JSON.stringify(more.json) }),
        signal: AbortSignal.timeout(more.timeoutMs ?? 5_000),
      });
      const text = await answer.text();
      const isJson = answer.headers.get('content-type')?.includes('json');
      return { status: answer.status, headers: answer.headers, body: isJson ? JSON.parse(text) : text };
    } catch {
      return { status: 'none', headers: new Headers(), body: null };
    }
  }

  /** The orders of a reference, as the control API shows them. */
  async inspect(reference: string) {
    const { body } = await this.call('GET', `/_control/orders?reference=${reference}`);
    return body.orders;
  }

  async calls(reference: string): Promise<string[]> {
    const { body } = await this.call('GET', `/_control/calls?reference=${reference}`);
    return body.calls.map(
      (call: { operation: string; answer: string }) => `${call.operation} ${call.answer}`,
    );
  }
}

export async function openRig(timing?: SandboxServerOptions['timing']): Promise<Rig> {
  const rig = new Rig(await openReceiver(), timing);
  await rig.start();
  return rig;
}

/** Waits until the condition is true. */
export async function until(isTrue: () => boolean | Promise<boolean>, limitMs = 10_000): Promise<void> {
  const endMs = Date.now() + limitMs;
  while (!(await isTrue())) {
    if (Date.now() > endMs) throw new Error(`not so within ${limitMs} ms: ${isTrue}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
