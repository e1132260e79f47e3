import type { AccountBalance, LedgerLine } from '@replenish/domain';
import { bookedExponentOf, majorFromMinor } from '@replenish/domain/rules';

/** Writes the entries of the ledger in the form of one program. Each method returns lines. */
export interface JournalForm {
  /** What comes before the first entry. */
  head(about: JournalHead): string[];
  entry(line: LedgerLine): string[];
  /** Asserts the balances of wallets at the end of a whole journal. Such programs refuse a journal that contradicts it. */
  asserted?(wallets: readonly AccountBalance[], day: string): string[];
}

export type JournalHead = Readonly<{ at: Date; from: Date | undefined; to: Date | undefined }>;

/** The number of decimals that a program has to show. */
export function decimalsOf(currency: string): number {
  const exponent = bookedExponentOf(currency);
  if (exponent === undefined) throw new Error(`the number of decimals of ${currency} is not known`);
  return exponent;
}

/** In major units, such as `49.99`. */
export const majorOf = (amountMinor: bigint, currency: string): string =>
  majorFromMinor(amountMinor, decimalsOf(currency));

/** The day of a time in UTC. */
export const dayOf = (at: Date): string => at.toISOString().slice(0, 10);

/** A text of one line. Providers name their orders as they like. */
export const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ').trim();

export const sentenceOf = ({ at, from, to }: JournalHead): string =>
  `Replenish, as of ${at.toISOString()}: entries ${from ? `from ${from.toISOString()}` : 'from the beginning'} ${
    to ? `to before ${to.toISOString()}` : 'to the end'
  }. Days are UTC.`;

/**
 * The parts of an account of the ledger. Ids of accounts may have colons inside: `wallet:a:b:available` is the available
 * money of `a:b`.
 */
export function partsOf(account: string): Readonly<{ kind: string; name: string; rest: string | null }> {
  const [, kind = '', inside = ''] = /^([^:]*):(.*)$/s.exec(account) ?? [];
  const ending = { wallet: /^(.*):(available|frozen)$/s, provider: /^(.*):(clearing)$/s }[kind]?.exec(inside);
  return ending
    ? { kind, name: ending[1]!, rest: ending[2]! }
    : { kind, name: kind === '' ? account : inside, rest: null };
}
