import { createHash, createHmac } from 'node:crypto';
import { connect } from 'node:net';
import pg from 'pg';

// The load generator, a process that receives its orders as messages. It writes bytes to plain sockets, because it
// shares the cores with the server under test and its CPU time would falsify the result. It reads only answers with
// Content-Length, which all contenders send.

const HEAD_END = Buffer.from('\r\n\r\n');
// The interval of counting unfinished recharges. It is short enough to replace finished recharges quickly, and long
// enough to cost almost nothing.
const COUNT_EVERY_MS = 20;

/** Sends requests over a fixed number of connections. A connection that may not post waits until `wake`. */
class Load {
  /**
   * @param order url, connections, a prefix that makes idempotency keys unique, and either authorization or a key to
   * sign with. `terms`: further fields of the bodies. `accounts`: their number
   */
  constructor(order, mayPost) {
    const { hostname, port } = new URL(order.url);
    this.address = { host: hostname, port: Number(port), noDelay: true };
    this.mayPost = mayPost;
    this.prefix = order.prefix;
    this.signingKey = order.signingKey;
    this.terms = order.terms ?? '"currency":"USD","paymentMethod":"sandbox"';
    this.accounts = order.accounts ?? 10_000;
    this.fixed =
      `POST /v1/recharges HTTP/1.1\r\nHost: ${hostname}:${port}\r\nContent-Type: application/json\r\n` +
      (order.authorization ? `Authorization: ${order.authorization}\r\n` : '');
    this.posted = 0;
    this.accepted = 0;
    this.failed = 0;
    this.examples = [];
    this.latenciesMs = [];
    this.isMeasuring = false;
    this.waiting = [];
    this.closed = Array.from({ length: order.connections }, () => this.#open());
  }

  wake() {
    const sends = this.waiting;
    this.waiting = [];
    for (const send of sends) send();
  }

  /** Stops posting, and resolves when all outstanding answers have arrived. */
  async ended() {
    this.mayPost = () => null;
    this.wake();
    await Promise.all(this.closed);
  }

  #open() {
    return new Promise((resolve) => {
      const socket = connect(this.address);
      let received = null;
      let sentAtMs = 0;
      const send = () => {
        const may = this.mayPost();
        if (may === null) return socket.end();
        if (!may) return this.waiting.push(send);
        sentAtMs = performance.now();
        socket.write(this.#request(), 'latin1');
      };
      socket.on('connect', send);
      socket.on('data', (chunk) => {
        received = received ? Buffer.concat([received, chunk]) : chunk;
        if (!isWhole(received)) return;
        this.#countAnswer(received, sentAtMs);
        received = null;
        send();
      });
      socket.on('error', (error) => this.#fail(String(error)));
      socket.on('close', () => resolve());
    });
  }

  #request() {
    const n = this.posted++;
    const key = `${this.prefix}-${String(n).padStart(9, '0')}`;
    const account = String(Math.floor(Math.random() * this.accounts)).padStart(5, '0');
    const amount = 1_000 + (n % 9_000);
    const body = `{"accountId":"acct-${account}","amount":${amount},${this.terms}}`;
    const signature = this.signingKey ? this.#signature(key, body) : '';
    return `${this.fixed}${signature}Idempotency-Key: ${key}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  }

  #signature(nonce, body) {
    const { keyId, secret } = this.signingKey;
    const timestamp = Math.floor(Date.now() / 1_000);
    const bodyHash = createHash('sha256').update(body).digest('hex');
    const text = `v1\nPOST\n/v1/recharges\n${timestamp}\n${nonce}\n${bodyHash}`;
    const signature = createHmac('sha256', secret).update(text).digest('hex');
    return `Authorization: Bearer ${keyId}\r\nX-Timestamp: ${timestamp}\r\nX-Nonce: ${nonce}\r\nX-Signature: v1=${signature}\r\n`;
  }

  #countAnswer(answer, sentAtMs) {
    // 201 and 202 mean a new recharge. Idempotency keys are never repeated, so 200 would be as wrong as 500.
    const status = answer.latin1Slice(9, 12);
    if (status !== '202' && status !== '201') {
      return this.#fail(`${status} ${answer.toString('utf8', answer.indexOf(HEAD_END) + 4).slice(0, 300)}`);
    }
    this.accepted++;
    if (this.isMeasuring) this.latenciesMs.push(performance.now() - sentAtMs);
  }

  #fail(what) {
    this.failed++;
    if (this.examples.length < 3) this.examples.push(what);
  }
}

function isWhole(received) {
  const headEnd = received.indexOf(HEAD_END);
  if (headEnd < 0) return false;
  const length = /content-length: (\d+)/i.exec(received.latin1Slice(0, headEnd));
  if (!length) throw new Error('an answer without Content-Length');
  return received.length >= headEnd + 4 + Number(length[1]);
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function resultOf(load, seconds) {
  const sorted = Float64Array.from(load.latenciesMs).sort();
  const at = (share) => sorted[Math.floor(share * sorted.length)] ?? null;
  const { posted, accepted, failed, examples } = load;
  return {
    posted,
    accepted,
    failed,
    examples,
    seconds,
    counted: sorted.length,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  };
}

/** Posts on every connection as soon as the previous answer arrives. Answers within the measured time are counted. */
async function postFlatOut(order) {
  const load = new Load(order, () => true);
  await sleep(order.warmUpMs);
  process.send({ phase: 'measuring' });
  load.isMeasuring = true;
  const startedAtMs = performance.now();
  await sleep(order.measureMs);
  load.isMeasuring = false;
  const seconds = (performance.now() - startedAtMs) / 1_000;
  process.send({ phase: 'measured' });
  await load.ended();
  return resultOf(load, seconds);
}

/**
 * Posts recharges for `measureMs`, or `count` of them. At most `unfinishedMax` of them are posted and not final. Then
 * it waits until all are final. The measured time is from the first post until the last recharge is final.
 */
async function postBounded(order) {
  const client = new pg.Client({
    connectionString: order.databaseUrl,
    options: '-c enable_seqscan=off -c jit=off',
  });
  await client.connect();
  let room = order.unfinishedMax;
  const startedAtMs = performance.now();
  const isOver = () =>
    order.count ? load.posted >= order.count : performance.now() - startedAtMs >= order.measureMs;
  const load = new Load(order, () => !isOver() && room > 0 && room-- > 0);
  load.isMeasuring = true;
  let unfinished = 0;
  for (let isPosting = true; isPosting || unfinished > 0; ) {
    await sleep(COUNT_EVERY_MS);
    isPosting = !isOver() || load.accepted + load.failed < load.posted;
    const { accepted } = load;
    const answer = await client.query({
      name: 'unfinished',
      text: 'select count(*)::int as n from recharge_transaction where due_at is not null',
    });
    unfinished = answer.rows[0].n;
    // The count of unfinished recharges includes all that were accepted before it, so the limit is never exceeded.
    room = order.unfinishedMax - (load.posted - Math.max(0, accepted - unfinished));
    load.wake();
    if (performance.now() - startedAtMs > order.limitMs)
      throw new Error(`${unfinished} are still unfinished`);
  }
  const seconds = (performance.now() - startedAtMs) / 1_000;
  await load.ended();
  await client.end();
  return resultOf(load, seconds);
}

process.on('message', async (order) => {
  try {
    const result = await (order.unfinishedMax ? postBounded(order) : postFlatOut(order));
    process.send({ phase: 'done', result });
  } catch (error) {
    process.send({ phase: 'broken', reason: String(error.stack) });
  }
});
process.on('disconnect', () => process.exit());
process.send({ ready: 'generator' });
