import type { RefundOrder, SoughtRefund } from '../../contract/collect.js';
import type { CallAnswer, CallFacts, Order, SoughtOrder, SubmitOutcome } from '../../contract/order.js';
import type { ProofOfAbsence, Provider } from '../../contract/provider.js';
import { takesCurrency, toMajor } from '../amounts.js';
import { type CodeMeaning, meaningOfCode, NOT_ENOUGH } from '../codes.js';
import { openReads, type ReadOutcome } from '../reads.js';
import { type RemarkKeys, remarkOf, type TransferTerms } from '../remark.js';
import { type CloudAccess, factsOfExchange, openRpc, type RpcExchange } from '../rpc.js';
import { scanFor } from '../scan.js';
import { fundAccountStatement } from '../statement.js';

export type FundAccountOptions = CloudAccess &
  Readonly<{
    /** The fund account that pays when the order names none. */
    fundAccountId: string;
    /** Keys of the remarks' MAC. A key stays in the list as long as its remarks may be sought. */
    remarkKeys: RemarkKeys;
    /** Whether a scan also reads the list of the receiving account. */
    readsBothSides?: boolean;
    /** The proof without which no transfer is made a second time. */
    proof?: ProofOfAbsence;
    /** The currencies of the source account that are always read. */
    currencies?: readonly string[];
    now?: () => Date;
    pageSize?: number;
  }>;

/**
 * Alibaba Cloud's rail `fund_account`: cash moves from our fund account to another one, and back where it is recalled.
 * CreateFundAccountTransfer takes no key and answers no id, and nothing is found by a reference. So an order is sought by
 * a scan of the transaction list.
 */
export function fundAccountRail(options: FundAccountOptions): Provider & ReturnType<typeof openReads> {
  const rpc = openRpc(options);
  const { reads } = openReads(rpc, options);
  const { remarkKeys: keys, readsBothSides = false, pageSize, now = () => new Date() } = options;
  const scan = { keys, readsBothSides, now, ...(pageSize === undefined ? {} : { pageSize }) };
  const { fundAccountId: source } = options;

  async function transfer(one: Order | RefundOrder, kind: TransferKind, signal: AbortSignal) {
    if (!takesCurrency(one.currency)) return refusedHere('no account in this currency');
    const exchange = await rpc.call(transferOf(termsOf(one, kind, source), kind, keys), signal);
    return { outcome: outcomeOfTransfer(exchange, one, kind), facts: factsOfExchange(exchange) };
  }
  async function find(one: SoughtOrder | SoughtRefund, kind: TransferKind, signal: AbortSignal) {
    const terms = termsOf(one, kind, source);
    if (!one.submits) throw new RangeError('a scan needs the times of the submits');
    return scanFor(rpc, terms, one.submits, { ...scan, own: kind === 'grant' ? 'from' : 'to' }, signal);
  }
  return {
    name: 'alibaba_cloud',
    source,
    orders: {
      promises: {
        ...{ idempotentSubmit: false, queryByReference: false },
        ...{ proof: options.proof ?? strictProof, findLimitMs: FIND_LIMIT_MS },
      },
      submit: (order, signal) => transfer(order, 'grant', signal),
      find: (order, signal) => find(order, 'grant', signal),
    },
    refunds: {
      submit: (refund, signal) => transfer(refund, 'recycle', signal),
      find: (refund, signal) => find(refund, 'recycle', signal),
    },
    reads,
    balance: {
      currencies: options.currencies ?? [],
      tellsCash: true,
      async read(currency, signal) {
        const outcome = await reads.transferable({ from: null, currency }, signal);
        return { outcome, facts: factsOfRead(outcome) };
      },
      async readTarget(account, signal) {
        const outcome = await reads.available(account, signal);
        return { outcome, facts: factsOfRead(outcome) };
      },
    },
    statement: fundAccountStatement(rpc, { accountId: source, ...(pageSize !== undefined && { pageSize }) }),
    // The SDK's connections are shared by the process, and idle ones do not keep it alive.
    close: () => Promise.resolve(),
  };
}

// A scan reads up to 50 pages in each of five passes, over two accounts.
const FIND_LIMIT_MS = 30_000;
const strictProof: ProofOfAbsence = { scans: 3, visibilityDelayMs: 30 * 60_000, resubmit: 'person' };

const factsOfRead = (outcome: ReadOutcome<object>): CallFacts => ({
  httpStatus: outcome.kind === 'read' ? 200 : null,
  providerCode: 'code' in outcome ? (outcome.code ?? null) : null,
});

/** `grant`: money goes to the customer's account. `recycle`: granted money comes back from it. */
type TransferKind = 'grant' | 'recycle';

/** @param source our fund account, where the order names none */
function termsOf(sought: SoughtOrder | SoughtRefund, kind: TransferKind, source: string): TransferTerms {
  const { reference, amountMinor, currency, destination } = sought;
  if (!destination) throw new RangeError('a transfer needs a destination');
  const [ours, theirs] = [destination.from ?? source, destination.to];
  const ends = kind === 'grant' ? { from: ours, to: theirs } : { from: theirs, to: ours };
  return { reference, amountMinor, currency, destination: ends };
}

const transferOf = (terms: TransferTerms, kind: TransferKind, keys: RemarkKeys) => ({
  version: '2023-09-30',
  action: 'CreateFundAccountTransfer',
  form: {
    FromFundAccountId: terms.destination.from,
    ToFundAccountId: terms.destination.to,
    Amount: toMajor(terms.amountMinor, terms.currency),
    Currency: terms.currency,
    FinanceType: 'cash',
    TransferType: kind,
    Remark: remarkOf(terms, keys),
  },
});

/** Success has no status, so it only means accepted. The list says later that the money moved. */
function outcomeOfTransfer(
  exchange: RpcExchange,
  { amountMinor, currency }: Pick<Order, 'amountMinor' | 'currency'>,
  kind: TransferKind,
): SubmitOutcome {
  switch (exchange.kind) {
    case 'unanswered':
      return exchange.outcome;
    case 'refused': {
      const meaning = meaningOfCode(exchange);
      return kind === 'recycle' && isShortOfFunds(meaning) ? nothingLeft : meaning;
    }
    case 'answered':
      return typeof Object(exchange.json).RequestId === 'string'
        ? { kind: 'accepted', providerOrderId: null, amountMinor, currency }
        : { kind: 'unknown', cause: 'unreadable' };
  }
}

const isShortOfFunds = (meaning: CodeMeaning): boolean =>
  meaning.kind === 'not_executed' && meaning.cause === 'source_funds';

// The customer has spent the money. Waiting for it would keep the recall open for ever.
const nothingLeft = {
  kind: 'rejected',
  code: NOT_ENOUGH,
  message: 'the cloud account no longer holds what was to be recalled',
} as const;

const refusedHere = (message: string): CallAnswer<SubmitOutcome> => ({
  outcome: { kind: 'rejected', code: 'InvalidParameter.Currency', message },
  facts: { httpStatus: null, providerCode: null },
});
