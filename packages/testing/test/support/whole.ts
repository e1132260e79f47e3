import { randomUUID } from 'node:crypto';
import type { NewKey } from '@replenish/domain';
import pg from 'pg';
import { type MovedMoney, moneyMovedAt } from '../../src/books/simulators.js';
import { bearer, client } from '../../src/fleet/producer.js';
import { until } from '../../src/until.js';
import { openStage, patience, type Stage, TEST_LIMIT_MS } from './setting.js';

/** One transaction of a whole recharge: the collect, or the delivery. */
export type Part = Readonly<{ id: string; kind: string; state: string; provider: string }>;

/** An account whose money is delivered to a cloud account. */
export type Payee = Readonly<{ accountId: string; to: string }>;

export type PayeeWishes = Readonly<{ to?: string | undefined; providerAccount?: string }>;

/** A transfer in the simulator's own books. */
export type Transfer = Readonly<{ amount: number; currency: string; kind: string }>;

/** What was answered to a request. */
export type Answer = Readonly<{ status: number; body: Record<string, unknown> }>;

/** An open case, as its client reads it. */
export type OpenCase = Readonly<{
  caseId: string;
  kind: string;
  verbs: readonly string[];
  evidence: Readonly<Record<string, unknown>>;
}>;

// The simulated list shows a transfer after 0.3 s, so an absence is proven after little more.
const quickProof = {
  ALIBABA_CLOUD_RESUBMIT: 'auto',
  ALIBABA_CLOUD_VISIBILITY_DELAY_MS: '1500',
  ALIBABA_CLOUD_SCANS: '2',
};

/** A fleet with the simulated providers, and a producer whose recharges end in a simulated cloud account. */
export class WholeStage {
  readonly #stage: Stage;
  readonly #key: NewKey;
  /** Recharges are followed at the same time, so one connection is not enough. */
  readonly #pool: pg.Pool;

  private constructor(stage: Stage, key: NewKey) {
    this.#stage = stage;
    this.#key = key;
    this.#pool = new pg.Pool({ connectionString: stage.fleet.databaseUrl, max: 4 });
  }

  static async open(options: Parameters<typeof openStage>[0] = {}): Promise<WholeStage> {
    const stage = await openStage({ ...options, env: { ...patience, ...quickProof, ...options.env } });
    return new WholeStage(stage, await client(stage.fleet));
  }

  get fleet(): Stage['fleet'] {
    return this.#stage.fleet;
  }

  async close(): Promise<void> {
    await this.#pool.end();
    await this.#stage.close();
  }

  /** Makes an account with a cloud account of its own, unless `to` is given. */
  async newPayee(currency = 'CNY', { to = `fa-${randomUUID()}`, ...more }: PayeeWishes = {}): Promise<Payee> {
    const accountId = `acct-${randomUUID()}`;
    await this.control('alibaba/fund-accounts', { id: to, currency, cash: 0 });
    await this.control('alibaba/reseller-customers', { owner: to, consumed: 1_000_000_000 });
    await this.control('alibaba/agency-customers', {
      ...{ uid: to, creditLine: 1_000_000_000, outstanding: 500_000_000 },
    });
    const set = await this.#call('PUT', `/v1/accounts/${accountId}/payee`, {
      ...{ provider: 'alibaba_cloud', to, currency, ...more },
    });
    if (!set.ok) throw new Error(`the payee was answered ${set.status} ${await set.text()}`);
    return { accountId, to };
  }

  /** Makes a recharge. The same request is repeated until it has an answer. */
  async recharge(accountId: string, paymentMethod: string, amount: number, more = {}): Promise<string> {
    const body = { accountId, paymentMethod, amount, currency: 'CNY', ...more };
    const key = randomUUID();
    const answer = await until(
      async () => {
        const sent = this.#call('POST', '/v1/recharges', body, { 'idempotency-key': key });
        const response = await sent.catch(() => null);
        return response !== null && response.status !== 503 && response;
      },
      { limitMs: TEST_LIMIT_MS, everyMs: 100 },
      'an answer to a recharge',
    );
    const text = await answer.text();
    if (!answer.ok) throw new Error(`the recharge was answered ${answer.status} ${text}`);
    const { transactionId } = JSON.parse(text) as { transactionId: string };
    return transactionId;
  }

  /** Refunds a recharge, or recalls a delivery. Without an amount: what is left of it. */
  async refund(id: string, amount?: number): Promise<string> {
    const body = { reason: 'as tested', ...(amount !== undefined && { amount }) };
    const answer = await this.post(`/v1/recharges/${id}/refunds`, body);
    if (answer.status !== 202)
      throw new Error(`the refund was answered ${answer.status} ${JSON.stringify(answer.body)}`);
    return String(answer.body.transactionId);
  }

  /** Sends a request with a key, which is a new one unless given. */
  async post(path: string, body: object, key: string = randomUUID()): Promise<Answer> {
    const answer = await this.#call('POST', path, body, { 'idempotency-key': key });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  }

  /** Waits until a transaction, as its client reads it, has these values. Returns what was read. */
  async reads(id: string, wanted: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>> {
    let body: Record<string, unknown> = {};
    const isRead = async () => {
      body = await this.read(id);
      return Object.entries(wanted).every(([name, value]) => body[name] === value);
    };
    await this.until(isRead, `${JSON.stringify(wanted)} of ${id}`).catch((error: Error) => {
      throw new Error(`${error.message}: ${JSON.stringify(body)}`);
    });
    return body;
  }

  /** Awaits a condition, as long as the tests of these fleets wait. */
  until<T>(condition: () => Promise<T>, what: string) {
    return until(condition, { limitMs: TEST_LIMIT_MS / 4, everyMs: 100 }, what);
  }

  /** Waits for an open case of a transaction, with what it offers. */
  caseOf(id: string): Promise<OpenCase> {
    const firstCase = async () => {
      const answer = await this.#call('GET', `/v1/cases?status=open&transactionId=${id}`);
      return ((await answer.json()) as { data: OpenCase[] }).data[0];
    };
    return this.until(firstCase, `an open case of ${id}`);
  }

  /** What the simulators' control API shows. */
  async shown<T>(path: string): Promise<T> {
    const response = await fetch(`${this.fleet.sandboxUrl}/_control/${path}`);
    if (!response.ok) throw new Error(`${path} was answered ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  /** The body of a recharge or a refund, as its client reads it. */
  read(id: string): Promise<Record<string, unknown>> {
    return this.get(`/v1/recharges/${id}`);
  }

  /** The body that the client reads at a path. */
  async get(path: string): Promise<Record<string, unknown>> {
    return (await (await this.#call('GET', path)).json()) as Record<string, unknown>;
  }

  /** The available money of an account. */
  async balance(accountId: string): Promise<number> {
    const [row] = (
      await this.#pool.query<{ available: string }>(
        `select available from report.wallets where account_id = $1 and currency = 'CNY'`,
        [accountId],
      )
    ).rows;
    return Number(row?.available ?? 0);
  }

  /** Pays as a person does: once the QR code is shown. */
  async payByAlipay(id: string): Promise<void> {
    const isShown = async () => {
      const read = await this.#call('GET', `/v1/recharges/${id}`);
      return ((await read.json()) as { action: { type: string } | null }).action?.type === 'qr_code';
    };
    await until(isShown, { limitMs: TEST_LIMIT_MS, everyMs: 100 }, `a QR code of ${id}`);
    await this.control('alipay/pay', { reference: id });
  }

  /** The recharge, and the delivery that continues it. */
  async parts(id: string): Promise<readonly Part[]> {
    const { rows } = await this.#pool.query<Part>(
      `select id, kind, state, provider from recharge_transaction where id = $1 or collected_by = $1
        order by collected_by nulls first`,
      [id],
    );
    return rows;
  }

  /** Waits until as many transactions have succeeded. */
  async succeeds(id: string, count: number): Promise<readonly Part[]> {
    let parts: readonly Part[] = [];
    const isDone = async () => {
      parts = await this.parts(id);
      return parts.length === count && parts.every(({ state }) => state === 'SUCCEEDED');
    };
    // Many recharges are followed at the same time, so each looks only now and then.
    const patience = { limitMs: TEST_LIMIT_MS / 2, everyMs: 100 };
    await until(isDone, patience, `${count} successes of ${id}`).catch((error: Error) => {
      throw new Error(`${error.message}: ${JSON.stringify(parts)}`);
    });
    return parts;
  }

  /** What each simulator moved for each transaction of a recharge. */
  async moved(id: string): Promise<readonly (readonly [provider: string, moved: readonly MovedMoney[]])[]> {
    const parts = await this.parts(id);
    return Promise.all(
      parts.map(
        async (part) =>
          [part.provider, await moneyMovedAt(this.fleet.sandboxUrl, part.provider, part.id)] as const,
      ),
    );
  }

  async rows<Row extends pg.QueryResultRow>(sql: string): Promise<Row[]> {
    return (await this.#pool.query<Row>(sql)).rows;
  }

  transfersTo(to: string): Promise<readonly Transfer[]> {
    return this.#transfers(`to=${to}`);
  }

  transfersFrom(from: string): Promise<readonly Transfer[]> {
    return this.#transfers(`from=${from}`);
  }

  async #transfers(query: string): Promise<readonly Transfer[]> {
    return (await this.shown<{ transfers: Transfer[] }>(`alibaba/transfers?${query}`)).transfers;
  }

  async control(path: string, body: object): Promise<void> {
    const response = await fetch(`${this.fleet.sandboxUrl}/_control/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path} was answered ${response.status} ${await response.text()}`);
  }

  #call(method: string, path: string, body?: object, headers = {}): Promise<Response> {
    return fetch(this.fleet.ingressUrl + path, {
      method,
      headers: { 'content-type': 'application/json', authorization: bearer(this.#key), ...headers },
      ...(body && { body: JSON.stringify(body) }),
    });
  }
}
