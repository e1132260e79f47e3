import type { AccountBalance, LedgerLine } from '@replenish/domain';
import { dayOf, type JournalForm, majorOf, oneLine, partsOf, sentenceOf } from './journal.js';

/** A journal of Beancount. Credits are negative, so what is owed to a wallet is negative. */
export function beancountForm(): JournalForm {
  const opened = new Set<string>();
  const opening = (account: string): string[] => {
    if (opened.has(account)) return [];
    opened.add(account);
    // Entries are in the order in which they were written, so the first one need not be the oldest.
    return [`1970-01-01 open ${nameOf(account)}`, `  name: ${quoted(account)}`];
  };
  return {
    head: (about) => [`; ${sentenceOf(about)}`, 'option "title" "Replenish"', ''],
    entry: (line) => [...opening(line.debit), ...opening(line.credit), ...transactionOf(line), ''],
    asserted: (wallets, day) => wallets.flatMap((one) => [...opening(one.account), assertionOf(one, day)]),
  };
}

/** Beancount's five kinds of accounts are fixed, and a name has letters, digits and hyphens only. */
function nameOf(account: string): string {
  const { kind, name, rest } = partsOf(account);
  const part = partOf(name);
  if (kind === 'wallet') return `Liabilities:Wallets:${part}:${capital(rest ?? 'other')}`;
  if (kind === 'provider') return `Assets:Providers:${part}:${capital(rest ?? 'other')}`;
  if (kind === 'house') return `Assets:House:${part}`;
  return kind === 'suspense' ? `Liabilities:Suspense:${part}` : `Equity:Other:${partOf(account)}`;
}

/**
 * A part begins with a capital or a digit, and two ids never become one part: `-` is doubled, and any other character is
 * `-` with its hexadecimal code.
 */
const partOf = (id: string): string =>
  `A-${id.replace(/[^A-Za-z0-9]/g, (char) => (char === '-' ? '--' : `-${char.charCodeAt(0).toString(16).padStart(2, '0')}`))}`;

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

const quoted = (text: string): string => `"${oneLine(text).replace(/["\\]/g, (char) => `\\${char}`)}"`;

const transactionOf = (line: LedgerLine): string[] => {
  const { debit, credit, amountMinor, currency, orderReference, providerOrderId } = line;
  const data = {
    transaction: line.transactionId,
    journal: line.journalId,
    entry: String(line.id),
    time: line.at.toISOString(),
    order: orderReference,
    provider_order: providerOrderId,
  };
  return [
    `${dayOf(line.at)} * ${quoted(line.slot)}`,
    ...Object.entries(data).flatMap(([name, value]) =>
      value === null ? [] : [`  ${name}: ${quoted(value)}`],
    ),
    `  ${nameOf(debit)}  ${majorOf(amountMinor, currency)} ${currency}`,
    `  ${nameOf(credit)}  ${majorOf(-amountMinor, currency)} ${currency}`,
  ];
};

/** Beancount checks a balance at the beginning of its day. */
function assertionOf({ account, currency, balanceMinor }: AccountBalance, day: string): string {
  const next = new Date(`${day}T00:00:00Z`);
  next.setUTCDate(next.getUTCDate() + 1);
  return `${dayOf(next)} balance ${nameOf(account)}  ${majorOf(-balanceMinor, currency)} ${currency}`;
}
