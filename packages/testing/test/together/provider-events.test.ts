import { generateKeyPairSync } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { openProviderMetrics } from '@replenish/assembly';
import { openProviders, type Providers } from '@replenish/providers';
import { openRegistry } from '@replenish/runtime';
import { openWorkerBooks, type WorkerBooks } from '@replenish/testing';
import { asker } from '../../../../apps/reconciliation-worker/src/asker.js';
import { openClaimCounter, submitter } from '../../../../apps/submission-worker/src/submitter.js';
import {
  openScriptedServer,
  type Script,
  type ScriptedServer,
  says,
} from '../../../providers/test/support/scripted-server.js';

// Each event that a provider's submit may meet, and what the recharge does then. The real workers and books run against a
// server that answers as the provider does.
let books: WorkerBooks;
let server: ScriptedServer;
let closed: string;
let providers: Providers | null = null;
const claims = openClaimCounter(openRegistry('submission-worker'));
beforeAll(async () => {
  books = await openWorkerBooks();
  server = await openScriptedServer();
  const gone = await openScriptedServer();
  closed = gone.url;
  await gone.close();
});
afterEach(() => providers?.close());
afterAll(async () => {
  await Promise.all([books.close(), server.close()]);
});

type Ending = Readonly<{ state: string; confirmation?: string | null; nextStep: string | null }>;
/** Nothing certain is known: the provider is asked before anything is sent again. */
const asks: Ending = { state: 'PENDING_CONFIRMATION', confirmation: 'unknown', nextStep: 'ask' };
/** The next step sends the same order again. The provider keeps one order per reference, so this only asks about it. */
const sendsAgain: Ending = { state: 'PENDING_CONFIRMATION', nextStep: 'submit' };
const fails: Ending = { state: 'FAILED', nextStep: null };

type Kind = Readonly<{ provider: string; currency: string; rail?: string }>;
type Row = readonly [
  event: string,
  answer: Script | 'closed',
  ending: Ending,
  afterAsking?: Ending | undefined,
];

const alipayKeys = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});

function open({ rail }: Kind, url: string): Providers {
  return openProviders({
    ...{ NODE_ENV: 'test', SANDBOX_URL: 'http://127.0.0.1:9', PROVIDER_TIMEOUT_MS: 20_000 },
    ...{ STRIPE_SECRET_KEY: 'sk_test_1', STRIPE_API_BASE: url },
    ...{ ALIPAY_APP_ID: '2021', ALIPAY_PRIVATE_KEY: alipayKeys.privateKey, ALIPAY_ENDPOINT: url },
    ...{ ALIPAY_PUBLIC_KEY: alipayKeys.publicKey, ALIBABA_CLOUD_RAIL: rail },
    ...{ ALIBABA_CLOUD_ACCESS_KEY_ID: 'LTAI1', ALIBABA_CLOUD_ACCESS_KEY_SECRET: 'secret' },
    ...{ ALIBABA_CLOUD_ENDPOINT: url, ALIBABA_CLOUD_FUND_ACCOUNT_ID: 'fa-main' },
  });
}

/** A recharge at the provider. A trigger guards the terms of a stored recharge, and this role runs no triggers. */
async function recharge({ provider, currency }: Kind): Promise<string> {
  const id = await books.recharged({ provider, currency });
  if (provider !== 'alibaba_cloud') return id;
  // The payee has a source of its own, so no pool has to be read.
  const payee = JSON.stringify({ provider, providerAccount: 'main', from: 'fa-own', to: id });
  await books.rows(`
    begin;
    set local session_replication_role = replica;
    update recharge_transaction
    set kind = 'deliver', funding = 'house', lane = 'alibaba_cloud:fa-own:${id}', payee = '${payee}' where id = '${id}';
    commit`);
  return id;
}

function holds(kind: Kind, rows: readonly Row[]): void {
  // Jest passes a callback for a parameter that a row lacks.
  const filled = rows.map(
    ([event, answer, ending, after]) => [event, answer, ending, after ?? null] as const,
  );
  test.each(filled)('%s', async (_event, answer, ending, afterAsking) => {
    const opened = open(kind, answer === 'closed' ? closed : server.url);
    providers = opened;
    server.play(answer === 'closed' ? () => {} : answer);
    const provider = opened.get(kind.provider, 'main')!;
    const metrics = openProviderMetrics({ registry: openRegistry('submission-worker'), log: books.log });
    const deps = { domain: books.domain, log: books.log, metrics };
    const id = await recharge(kind);
    await submitter({ ...deps, provider, publicUrl: 'http://127.0.0.1:9', claims })(id);
    expect(await books.recharge(id)).toMatchObject({ attempt: 1, ...ending });
    if (!afterAsking) return;
    // The time limit of the submit has passed.
    await books.rows(
      `update provider_call set started_at = started_at - interval '1 minute' where transaction_id = $1`,
      [id],
    );
    await asker({ ...deps, accounts: [provider], queues: { hint: async () => true } })(id);
    expect(await books.recharge(id)).toMatchObject({ attempt: 1, ...afterAsking });
  });

  test('after all of them the invariants hold', async () => {
    expect(await books.domain.verify()).toEqual([]);
  });
}

const silence: Script = () => {};
const reset: Script = (response) => response.socket?.resetAndDestroy();
const html: Script = says(200, '<html>');
const unanswered = (afterAsking?: Ending): Row[] => [
  ['a time-out: it is asked about', silence, asks, afterAsking],
  ['a reset: it is asked about', reset, asks, afterAsking],
  ['HTML: it is asked about', html, asks, afterAsking],
];

describe.each([
  ['fund_account', 'CNY', undefined],
  ['reseller_quota', 'CNY', sendsAgain],
  ['agency', 'USD', undefined],
])('Alibaba Cloud, rail %s', (rail, currency, afterAsking) => {
  const error = (status: number, Code: string, headers = {}): Script =>
    atWrite(says(status, { RequestId: 'R', Code, Message: 'm' }, headers));
  /** The rail `agency` reads the credit first. */
  const atWrite =
    (answer: Script): Script =>
    (response, request) =>
      request.headers['x-acs-action'] === 'GetCreditInfo'
        ? credit(response, request)
        : answer(response, request);
  const credit = says(200, {
    ...{ RequestId: 'R', Success: true, Code: '200' },
    Data: { OutstandingBalance: '1,000.00', CreditLine: '1,000.00' },
  });
  holds({ provider: 'alibaba_cloud', currency, rail }, [
    ...unanswered(afterAsking).map(
      ([event, answer, ...rest]): Row => [event, atWrite(answer as Script), ...rest],
    ),
    ...['RequestTimeout', 'InternalError', 'Error1109', 'SomethingNew', 'SignatureNonceUsed'].map(
      (code): Row => [`400 ${code}: it is asked about`, error(400, code), asks, afterAsking],
    ),
    ...[500, 503].map(
      (status): Row => [`${status}: it is asked about`, error(status, 'UndefinedError'), asks, afterAsking],
    ),
    ...[
      'MissingParameter',
      'InvalidParameter.Amount',
      'ParameterError',
      'AccountNotExist',
      'Error3040',
      '3041',
    ].map((code): Row => [`400 ${code}: it fails`, error(400, code), fails]),
    ['500 MissingParameter: it is asked about', error(500, 'MissingParameter'), asks, afterAsking],
    ['400 InvalidParam.Uid.NotYourEu: it fails', error(400, 'InvalidParam.Uid.NotYourEu'), fails],
    ['400 NoFundAccountPermission: it fails', error(400, 'NoFundAccountPermission'), fails],
    [
      '400 AvailableTransferAmountNotEnough: it waits for money',
      error(400, 'AvailableTransferAmountNotEnough'),
      sendsAgain,
    ],
    ...[
      'InvalidAccessKeyId.NotFound',
      'SignatureDoesNotMatch',
      'InvalidTimeStamp.Expired',
      'Forbidden.RAM',
    ].map((code): Row => [`403 ${code}: it waits for an operator`, error(403, code), sendsAgain]),
    [
      'Throttling.User: it is sent later',
      error(400, 'Throttling.User', { 'x-acs-retry-after': '9000' }),
      sendsAgain,
    ],
    ['a refused connection: it is sent later', 'closed', sendsAgain],
  ]);
});

describe('Stripe', () => {
  const error = (status: number, fields: object, headers = {}): Script =>
    says(status, { error: { type: 'invalid_request_error', message: 'm', ...fields } }, headers);
  holds({ provider: 'stripe', currency: 'USD' }, [
    ...unanswered(),
    ['500: it is asked about', error(500, { type: 'api_error' }), asks],
    [
      '500 repeated under its key: it is asked about',
      error(500, {}, { 'idempotent-replayed': 'true' }),
      asks,
    ],
    ['502 with HTML: it is asked about', says(502, '<html>'), asks],
    ['idempotency_error: it is asked about', error(400, { type: 'idempotency_error' }), asks],
    ['409 idempotency_key_in_use: it is asked about', error(409, { code: 'idempotency_key_in_use' }), asks],
    [
      '402: another card may pay, so it is asked about',
      error(402, { type: 'card_error', code: 'card_declined' }),
      asks,
    ],
    ['400: it fails', error(400, { code: 'parameter_invalid_integer' }), fails],
    ['404: it fails', error(404, { code: 'resource_missing' }), fails],
    ['401: it waits for an operator', error(401, {}), sendsAgain],
    ['403: it waits for an operator', error(403, {}), sendsAgain],
    ['429: it is sent later', error(429, { code: 'rate_limit' }, { 'retry-after': '9' }), sendsAgain],
    ['a refused connection: it is sent later', 'closed', sendsAgain],
    // After the submit was lost, an empty search allows the same key again.
    ['absent after a lost answer: the same key is sent again', lostThenAbsent('POST'), asks, sendsAgain],
  ]);
});

/** Drops the submit, and answers the search with nothing. */
function lostThenAbsent(method: string): Script {
  return (response, request) =>
    request.method === method
      ? reset(response, request)
      : says(200, { object: 'list', data: [] })(response, request);
}

describe('Alipay', () => {
  const error = (status: number, code: string): Script => says(status, { code, message: 'm' });
  holds({ provider: 'alipay', currency: 'CNY' }, [
    ...unanswered(),
    ...[
      'ACQ.SYSTEM_ERROR',
      'ACQ.TRADE_HAS_SUCCESS',
      'ACQ.CONTEXT_INCONSISTENT',
      'ACQ.TRADE_HAS_CLOSE',
      'ACQ.NEW',
    ].map((code): Row => [`400 ${code}: it is asked about`, error(400, code), asks]),
    ['500 unknow-error: it is asked about', error(500, 'unknow-error'), asks],
    ['200 that is not signed: it is asked about', says(200, { out_trade_no: 'a', qr_code: 'b' }), asks],
    ['400 ACQ.INVALID_PARAMETER: it fails', error(400, 'ACQ.INVALID_PARAMETER'), fails],
    ...['invalid-signature', 'invalid-app-id', 'ACQ.ACCESS_FORBIDDEN', 'ACQ.PARTNER_ERROR'].map(
      (code): Row => [
        `${code}: it waits for an operator`,
        error(code.startsWith('ACQ') ? 400 : 401, code),
        sendsAgain,
      ],
    ),
    ['429: it is sent later', error(429, 'app-call-limited'), sendsAgain],
    ['a refused connection: it is sent later', 'closed', sendsAgain],
  ]);
});
