import type { CallAnswer, CallFacts, Order, SoughtOrder, SubmitOutcome } from '../contract/order.js';
import type { ProofOfAbsence, Provider } from '../contract/provider.js';
import { takesCurrency, toMajor } from './amounts.js';
import { meaningOfCode } from './codes.js';
import { openReads, type ReadOutcome } from './reads.js';
import { type RemarkKeys, remarkOf, type TransferTerms } from './remark.js';
import { type CloudAccess, factsOfExchange, openRpc, type RpcExchange } from './rpc.js';
import { scanFor } from './scan.js';

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
 * Alibaba Cloud's rail `fund_account`: cash moves from our fund account to another one. CreateFundAccountTransfer takes
 * no key and answers no id, and nothing is found by a reference. So an order is sought by a scan of the transaction list.
 */
export function fundAccountRail(options: FundAccountOptions): Provider & ReturnType<typeof openReads> {
  const rpc = openRpc(options);
  const { reads } = openReads(rpc, options);
  const { remarkKeys: keys, readsBothSides = false, pageSize, now = () => new Date() } = options;
  const termsOf = (order: SoughtOrder): TransferTerms => {
    const { reference, amountMinor, currency, destination } = order;
    if (!destination) throw new RangeError('a transfer needs a destination');
    const { from, to } = destination;
    return { reference, amountMinor, currency, destination: { from: from ?? options.fundAccountId, to } };
  };
  return {
    name: 'alibaba_cloud',
    orders: {
      promises: {
        ...{ idempotentSubmit: false, queryByReference: false },
        ...{ proof: options.proof ?? strictProof, findLimitMs: FIND_LIMIT_MS },
      },

      async submit(order, signal) {
        if (!takesCurrency(order.currency)) return refusedHere('no account in this currency');
        const exchange = await rpc.call(transferOf(termsOf(order), keys), signal);
        return { outcome: outcomeOfTransfer(exchange, order), facts: factsOfExchange(exchange) };
      },

      find(order, signal) {
        const terms = termsOf(order);
        if (!order.submits) throw new RangeError('a scan needs the times of the submits');
        const scan = { keys, readsBothSides, now, ...(pageSize === undefined ? {} : { pageSize }) };
        return scanFor(rpc, terms, order.submits, scan, signal);
      },
    },
    reads,
    balance: {
      currencies: options.currencies ?? [],
      async read(currency, signal) {
        const outcome = await reads.transferable({ from: null, currency }, signal);
        return { outcome, facts: factsOfRead(outcome) };
      },
    },
    // The SDK's connections are shared by the process, and idle ones do not keep it alive.
    close: () => Promise.resolve(),
  };
}

// A scan reads up to 50 pages in each of five passes, over two accounts.
const FIND_LIMIT_MS = 30_000;
const strictProof: ProofOfAbsence = { scans: 3, visibilityDelayMs: 30 * 60_000, resubmit: 'person' };

const factsOfRead = (outcome: ReadOutcome<object>): CallFacts => ({
  httpStatus: outcome.kind === 'read' ? 200 : null,
  providerCode: outcome.kind === 'refused' ? outcome.code : null,
});

const transferOf = (terms: TransferTerms, keys: RemarkKeys) => ({
  version: '2023-09-30',
  action: 'CreateFundAccountTransfer',
  form: {
    FromFundAccountId: terms.destination.from,
    ToFundAccountId: terms.destination.to,
    Amount: toMajor(terms.amountMinor, terms.currency),
    Currency: terms.currency,
    FinanceType: 'cash',
    TransferType: 'grant',
    Remark: remarkOf(terms, keys),
  },
});

/** Success has no status, so it only means accepted. The list says later that the money moved. */
function outcomeOfTransfer(exchange: RpcExchange, { amountMinor, currency }: Order): SubmitOutcome {
  switch (exchange.kind) {
    case 'unanswered':
      return exchange.outcome;
    case 'refused':
      return meaningOfCode(exchange);
    case 'answered':
      return typeof Object(exchange.json).RequestId === 'string'
        ? { kind: 'accepted', providerOrderId: null, amountMinor, currency }
        : { kind: 'unknown', cause: 'unreadable' };
  }
}

const refusedHere = (message: string): CallAnswer<SubmitOutcome> => ({
  outcome: { kind: 'rejected', code: 'InvalidParameter.Currency', message },
  facts: { httpStatus: null, providerCode: null },
});
