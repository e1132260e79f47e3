import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Core from '@alicloud/openapi-core';
import Dara from '@darabonba/typescript';
import { createLogger } from '@replenish/runtime';
import { openSandbox, type Sandbox } from '../../../src/sandbox.js';
import { SECRET } from '../../support/receiver.js';

export type Endpoints = Readonly<{ url: string; accessKeyId: string; accessKeySecret: string }>;

/** The simulator with its Alibaba Cloud on a free port. */
export class Cloud {
  readonly dataDir = mkdtempSync(join(tmpdir(), 'replenish-cloud-'));
  /** The addresses and keys of the simulated providers. */
  endpoints!: ReturnType<typeof JSON.parse>;
  alibaba!: Endpoints;
  #sandbox!: Sandbox;

  async start(): Promise<void> {
    this.#sandbox = await openSandbox({
      ...{ host: '127.0.0.1', port: 0, dataDir: this.dataDir },
      dialects: { ports: { alibaba: 0, alipay: 0, stripe: 0 }, stripeWebhookUrl: null, paysAfterMs: null },
      ...{ webhookSecret: SECRET, log: createLogger('sandbox', 'silent') },
    });
    this.endpoints = await this.get('/_control/endpoints');
    this.alibaba = this.endpoints.alibaba;
  }

  /** The address of the plain sandbox. */
  get url(): string {
    return this.#sandbox.url;
  }

  async restart(): Promise<void> {
    await this.#sandbox.close();
    await this.start();
  }

  async close(): Promise<void> {
    await this.#sandbox.close();
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  async get(path: string) {
    return (await fetch(this.#sandbox.url + path)).json() as Promise<ReturnType<typeof JSON.parse>>;
  }

  async post(path: string, json: unknown): Promise<{ status: number; body: ReturnType<typeof JSON.parse> }> {
    const answer = await fetch(this.#sandbox.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(json),
    });
    return { status: answer.status, body: await answer.json() };
  }

  /** Sets the cash of a fund account, in minor units. */
  fund(id: string, cash: number, more: Record<string, unknown> = {}) {
    return this.post('/_control/alibaba/fund-accounts', { id, cash, currency: 'CNY', ...more });
  }

  behave(scenario: string, more: Record<string, unknown> = {}) {
    return this.post('/_control/alibaba/behave', { scenario, ...more });
  }

  async cashOf(id: string): Promise<number> {
    return (await this.get(`/_control/alibaba/fund-accounts/${id}`)).cash;
  }

  async transfersTo(to: string) {
    return (await this.get(`/_control/alibaba/transfers?to=${to}`)).transfers;
  }

  /** Calls an operation by the SDK's generic client. `url` names a proxy before the simulator. */
  async call(
    operation: Readonly<{ version?: string; action: string; form?: object; query?: Record<string, string> }>,
    more: Readonly<{
      url?: string;
      signatureAlgorithm?: string;
      accessKeyId?: string;
      timeoutMs?: number;
    }> = {},
  ) {
    const { url = this.alibaba.url, timeoutMs = 3_000, ...config } = more;
    const { accessKeyId, accessKeySecret } = this.alibaba;
    const endpoint = url.replace('http://', '');
    const { Config, Params, OpenApiRequest } = Core.$OpenApiUtil;
    const client = new Core.default(
      new Config({ accessKeyId, accessKeySecret, endpoint, protocol: 'http', ...config }),
    );
    const { version = '2023-09-30', action, form = {}, query = {} } = operation;
    const params = new Params({
      ...{ action, version, protocol: 'HTTPS', pathname: '/', method: 'POST', authType: 'AK', style: 'RPC' },
      ...{ reqBodyType: 'formData', bodyType: 'string' },
    });
    const limits = new Dara.RuntimeOptions({ readTimeout: timeoutMs, connectTimeout: timeoutMs });
    const { body } = await client.callApi(params, new OpenApiRequest({ body: form, query }), limits);
    return body as string;
  }

  async json(...given: Parameters<Cloud['call']>) {
    return JSON.parse(await this.call(...given));
  }
}

export const aTransfer = (changes: Record<string, string> = {}) => ({
  action: 'CreateFundAccountTransfer',
  form: {
    ...{ FromFundAccountId: 'fa-main', ToFundAccountId: 'fa-1', Amount: '49.99', Currency: 'CNY' },
    ...{ FinanceType: 'cash', TransferType: 'grant', Remark: "rcg_01 充值 *~'()+&=" },
    ...changes,
  },
});

export type Draft = { method: string; url: string; headers: IncomingMessage['headers']; body: Buffer };

/** A proxy that alters each request before it reaches the target, and counts them. */
export async function openProxy(target: string, alter: (draft: Draft) => void) {
  let count = 0;
  const server = createServer(async (request, response) => {
    count++;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = '', url = '', headers } = request;
    const draft: Draft = { method, url, headers, body: Buffer.concat(chunks) };
    alter(draft);
    const { 'transfer-encoding': _chunked, ...kept } = draft.headers;
    const onward = httpRequest(target + draft.url, {
      method: draft.method,
      headers: { ...kept, 'content-length': draft.body.length },
    });
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.socket?.resetAndDestroy());
    onward.end(draft.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    count: () => count,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
