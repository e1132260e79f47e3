import { isHeld, type Kind } from '../../core/money/postings.js';
import { Prisma } from '../../generated/client.js';
import { coalesce } from '../batches/coalesce.js';
import type { Run } from '../database/database.js';
import { isUuid } from '../database/storable.js';
import { refundFingerprint } from './fingerprint.js';
import type { NewRefund, RefundedTerms } from './new-refund.js';
import { type RefundFate, type RefundOptions, refundStatement } from './refund-statement.js';
import { type RefundView, refundByKey } from './view.js';

/**
 * - `invalid_state`: only a collection or a delivery that succeeded can be refunded.
 * - `nothing_left`: the recharge is refunded as a whole.
 * - `above_original`: the amount is more than what is left of the recharge.
 * - `insufficient_balance`: the wallet no longer holds the money.
 * - `beyond_balance`: the wallet cannot hold the money that comes back.
 */
export type RefundProblem = 'unknown_recharge' | 'key_used_with_other_body' | Exclude<RefundFate, 'stored'>;

export type CreatedRefund =
  | Readonly<{ ok: true; replayed: boolean; refund: RefundView }>
  | Readonly<{ ok: false; problem: RefundProblem }>;

/**
 * Stores refunds. Of several with one idempotency key it stores the first. The refunds of one recharge wait for each
 * other in the database, so this process sends only two at a time: other requests need the connections.
 */
export function refunder(run: Run, options: RefundOptions): (ask: NewRefund) => Promise<CreatedRefund> {
  const one = coalesce<NewRefund, CreatedRefund>(([ask]) => createAlone(run, ask!, options), {
    batchMax: 1,
    inFlightMax: 2,
    lockOf: ({ of }) => of,
  });
  return async (ask) => one(ask);
}

const createAlone = async (run: Run, ask: NewRefund, options: RefundOptions): Promise<CreatedRefund[]> => [
  await createRefund(run, ask, options),
];

async function createRefund(run: Run, ask: NewRefund, options: RefundOptions): Promise<CreatedRefund> {
  const terms = await termsOf(run, ask);
  if (!terms) return { ok: false, problem: 'unknown_recharge' };
  const fingerprint = refundFingerprint(ask);
  const [judged] = await run<{ fate: RefundFate }>(refundStatement({ ...ask, fingerprint }, terms, options));
  // This is a statement of its own, because the first request of a repeated key may have been committed after the
  // insert began.
  const stored = await refundByKey(run, ask);
  if (stored?.fingerprint === fingerprint) {
    const { fingerprint: _, ...refund } = stored;
    return { ok: true, replayed: refund.id !== ask.id, refund };
  }
  if (stored) return { ok: false, problem: 'key_used_with_other_body' };
  if (judged!.fate === 'stored') throw new Error(`refund ${ask.id} is stored, and its key finds none`);
  return { ok: false, problem: judged!.fate };
}

async function termsOf(run: Run, { of, clientId }: NewRefund): Promise<RefundedTerms | null> {
  if (!isUuid(of)) return null;
  const [row] = await run<Omit<RefundedTerms, 'isHeld'>>(Prisma.sql`
    select kind, account_id as "accountId", currency
    from recharge_transaction
    where id = ${of}::uuid and client_id = ${clientId}::uuid`);
  return row ? { ...row, isHeld: row.kind === 'collect' && isHeld(PAID_BACK) } : null;
}

/** A refund of a collection is always paid by the wallet that the collection filled. */
const PAID_BACK = { kind: 'refund' satisfies Kind, funding: 'wallet' } as const;
