import type { Database } from 'lmdb';
import { openStoreFolder } from '../machine/store/store-folder.js';

/**
 * The money of a fund account in one currency, in minor units. `transferredIn` is the part of `cash` that was granted.
 * `credit` can be spent too, and is not cash. Missing: none.
 */
export type FundBook = Readonly<{ cash: bigint; transferredIn: bigint; credit?: bigint }>;

export type FundAccount = Readonly<{
  id: string;
  /** The id of the cloud account that owns the fund account. */
  owner: string;
  status: 'VALID' | 'FROZEN' | 'CLOSED';
  /** Whether the caller's key may read its transactions. */
  isReadable: boolean;
  books: Readonly<Record<string, FundBook>>;
}>;

/** One executed transfer. `kind` recycle takes granted money back. */
export type FundTransfer = Readonly<{
  number: string;
  from: string;
  to: string;
  amount: bigint;
  currency: string;
  kind: 'grant' | 'recycle';
  remark: string;
  atMs: number;
  visibleAtMs: number;
}>;

/** A line of a fund account's transaction list. */
export type FundLine = Readonly<{
  number: string;
  accountId: string;
  /** The other account. */
  peer: string;
  direction: 'IN' | 'OUT';
  amount: bigint;
  balance: bigint;
  currency: string;
  remark: string;
  atMs: number;
  visibleAtMs: number;
}>;

/** The quota of a customer of a virtual operator, and the answers that were given per OutBizId. */
export type ResellerQuota = Readonly<{ consumed: bigint; done: Readonly<Record<string, string>> }>;

/** One executed change of a customer's quota. `amount`: by how much the consumed quota was lowered. */
export type QuotaChange = Readonly<{ owner: string; outBizId: string; amount: bigint; atMs: number }>;

/** The credit of a distribution customer of a partner. */
export type AgencyCredit = Readonly<{ creditLine: bigint; outstanding: bigint }>;

/** A deduction. The history shows it from `visibleAtMs` on. */
export type AgencyDeduction = Readonly<{ uid: string; amount: bigint; atMs: number; visibleAtMs: number }>;

/** A line's key sorts the lines of an account by their number, which ascends in time. */
type LineKey = [accountId: string, number: string];

/**
 * The books of the simulated cloud, in a folder of their own. A change is one transaction, which is written completely
 * or not at all. As in the store of the plain orders, the data survive `kill -9` but not a power failure.
 */
export type CloudStore = Readonly<{
  accounts: Database<FundAccount, string>;
  transfers: Database<FundTransfer, string>;
  lines: Database<FundLine, LineKey>;
  quotas: Database<ResellerQuota, string>;
  quotaChanges: Database<QuotaChange, string>;
  credits: Database<AgencyCredit, string>;
  deductions: Database<AgencyDeduction, string>;
  /** Taken nonces, with their time. */
  nonces: Database<number, [accessKeyId: string, nonce: string]>;
  /** Runs one change. Changes run one after the other, and each reads what the ones before it wrote. */
  change: <Result>(run: () => Result) => Promise<Result>;
  /** A number that no other transaction has. It exceeds 2^53, as the real ones do. Only inside `change`. */
  nextNumber: () => string;
  close: () => Promise<void>;
}>;

// Real transaction numbers have 19 digits and exceed 2^53.
const FIRST_NUMBER = 6_210_322_125_051_645_961n;

export function openCloudStore(folder: string): CloudStore {
  const { root, close } = openStoreFolder(folder);
  const meta = root.openDB<string, string>({ name: 'meta' });
  return {
    accounts: root.openDB({ name: 'accounts' }),
    transfers: root.openDB({ name: 'transfers' }),
    lines: root.openDB({ name: 'lines' }),
    quotas: root.openDB({ name: 'quotas' }),
    quotaChanges: root.openDB({ name: 'quota-changes' }),
    credits: root.openDB({ name: 'credits' }),
    deductions: root.openDB({ name: 'deductions' }),
    nonces: root.openDB({ name: 'nonces' }),
    change: (run) => root.transaction(run),
    nextNumber() {
      const next = BigInt(meta.get('number') ?? FIRST_NUMBER) + 1n;
      meta.put('number', String(next));
      return String(next);
    },
    close,
  };
}
