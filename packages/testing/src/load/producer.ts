import { Agent, request } from 'node:http';
import type { Fleet } from '../fleet/fleet.js';
import { bearer, client } from '../fleet/producer.js';
import { until } from '../until.js';
import { ask, bodyOf, type LoadRequest, payers } from './load.js';

/** One try of one request, as its producer saw it. `status` is null if there was no answer. */
export type LoadCall = Readonly<{
  ask: LoadRequest;
  status: number | null;
  transactionId: string | null;
  replayed: boolean;
  code: string | null;
  retryAfter: string | null;
  /** The reason for which there was no answer. */
  fault: string | null;
}>;

/** The time for which a producer repeats its request while the fleet is away. */
const GIVE_UP_MS = 60_000;

/** A producer that records its calls and repeats each request with the same key until it has an answer. */
export class Producer {
  readonly calls: LoadCall[] = [];
  readonly #fleet: Pick<Fleet, 'ingressUrls' | 'databaseUrl'>;
  /** The header of its calls, for a test that makes calls of its own as the same client. */
  readonly authorization: string;
  readonly #agent: Agent;

  private constructor(
    fleet: Pick<Fleet, 'ingressUrls' | 'databaseUrl'>,
    authorization: string,
    sockets: number,
  ) {
    this.#fleet = fleet;
    this.authorization = authorization;
    this.#agent = new Agent({ keepAlive: true, maxSockets: sockets });
  }

  /** @param connections the most connections to each ingress */
  static async open(fleet: Pick<Fleet, 'ingressUrls' | 'databaseUrl'>, connections = 32): Promise<Producer> {
    return new Producer(fleet, bearer(await client(fleet)), connections);
  }

  close(): void {
    this.#agent.destroy();
  }

  /** Makes one try. A missing answer is recorded and not thrown. */
  async once(asked: LoadRequest, ingress = 0): Promise<LoadCall> {
    const call = await this.#post(asked, this.#fleet.ingressUrls[ingress]!);
    this.calls.push(call);
    return call;
  }

  /** Repeats a request until it has an answer that does not ask to come later. */
  async send(asked: LoadRequest, ingress = 0): Promise<LoadCall> {
    return until(
      async () => {
        const call = await this.once(asked, ingress);
        return call.status !== null && call.status !== 503 && call;
      },
      { limitMs: GIVE_UP_MS, everyMs: 100 },
      `an answer to ${asked.key}`,
    );
  }

  /** Sends all requests, `inFlight` at a time, until each has its answer. */
  async sendAll(asks: readonly LoadRequest[], inFlight = 16, ingress = 0): Promise<LoadCall[]> {
    const waiting = [...asks];
    const answers: LoadCall[] = [];
    const sendNext = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift())
        answers.push(await this.send(next, ingress));
    };
    await Promise.all(Array.from({ length: inFlight }, sendNext));
    return answers;
  }

  /** The body of `GET /v1/recharges/{id}`. */
  async read(transactionId: string): Promise<Readonly<Record<string, unknown>>> {
    const response = await fetch(`${this.#fleet.ingressUrls[0]}/v1/recharges/${transactionId}`, {
      headers: { authorization: this.authorization },
    });
    if (!response.ok) throw new Error(`GET of ${transactionId} answered ${response.status}`);
    return (await response.json()) as Record<string, unknown>;
  }

  async reaches(transactionId: string, state: string, limitMs = 30_000): Promise<void> {
    const what = `${transactionId} ${state}`;
    await until(async () => (await this.read(transactionId)).state === state, { limitMs }, what);
  }

  /** Gives each payer a balance that no load of these tests can use up. */
  async fund(): Promise<void> {
    const gifts = payers.map((accountId) => ask('ok', { accountId, amount: 1_000_000_000 }));
    for (const { transactionId } of await this.sendAll(gifts))
      await this.reaches(transactionId!, 'SUCCEEDED');
  }

  #post(asked: LoadRequest, ingressUrl: string): Promise<LoadCall> {
    const unanswered = {
      ask: asked,
      status: null,
      transactionId: null,
      replayed: false,
      code: null,
      retryAfter: null,
    };
    return new Promise((resolve) => {
      const lost = (error: Error) => resolve({ ...unanswered, fault: error.message });
      const headers = {
        authorization: this.authorization,
        'content-type': 'application/json',
        'idempotency-key': asked.key,
      };
      const options = { method: 'POST', headers, agent: this.#agent, signal: AbortSignal.timeout(20_000) };
      const sent = request(`${ingressUrl}/v1/recharges`, options, async (response) => {
        try {
          let text = '';
          for await (const chunk of response.setEncoding('utf8')) text += chunk;
          const body = JSON.parse(text) as { transactionId?: string; code?: string };
          resolve({
            ask: asked,
            status: response.statusCode!,
            transactionId: body.transactionId ?? null,
            replayed: response.headers['idempotent-replayed'] === 'true',
            code: body.code ?? null,
            retryAfter: response.headers['retry-after'] ?? null,
            fault: null,
          });
        } catch (error) {
          lost(error as Error);
        }
      });
      sent.once('error', lost);
      sent.end(bodyOf(asked));
    });
  }
}
