import type { AccountBalance, LedgerLine } from '@replenish/domain';
import { dayOf, decimalsOf, type JournalForm, majorOf, oneLine, partsOf, sentenceOf } from './journal.js';

/** The type of an account in hledger. Wallets and suspense are liabilities, and the money at providers is an asset. */
const types: Readonly<Record<string, string>> = { wallet: 'L', suspense: 'L', provider: 'A', house: 'A' };

/**
 * A journal of hledger. Credits are negative, as in all programs of this kind, so money that is owed to a wallet is
 * negative.
 */
export function hledgerForm(): JournalForm {
  const declared = new Set<string>();
  const declaring = (name: string, directive: () => string): string[] => {
    if (declared.has(name)) return [];
    declared.add(name);
    return [directive()];
  };
  const account = (of: string): string[] => {
    const type = types[partsOf(of).kind];
    return declaring(of, () => `account ${nameOf(of)}${type ? `  ; type:${type}` : ''}`);
  };
  const commodity = (currency: string): string[] =>
    declaring(`commodity ${currency}`, () => `commodity ${sampleOf(currency)} ${currency}`);
  return {
    head: (about) => [`; ${sentenceOf(about)}`, 'decimal-mark .', ''],
    entry: (line) => [
      ...commodity(line.currency),
      ...account(line.debit),
      ...account(line.credit),
      ...transactionOf(line),
      '',
    ],
    asserted: (wallets, day) => [
      ...wallets.flatMap(({ currency, account: of }) => [...commodity(currency), ...account(of)]),
      `${day} * kept balances of the wallets`,
      ...wallets.map(assertionOf),
      '',
    ],
  };
}

/** hledger reads a colon as the beginning of a sub-account, so ids must not contain one. */
function nameOf(account: string): string {
  const { kind, name, rest } = partsOf(account);
  return [kind, name.replaceAll('%', '%25').replaceAll(':', '%3A'), rest].filter(Boolean).join(':');
}

// A commodity is declared by an amount, which needs its decimal mark also without decimals.
const sampleOf = (currency: string): string => `1000.${'0'.repeat(decimalsOf(currency))}`;

const transactionOf = (line: LedgerLine): string[] => {
  const { debit, credit, amountMinor, currency } = line;
  const width = Math.max(nameOf(debit).length, nameOf(credit).length);
  const posting = (of: string, amount: bigint) =>
    `    ${nameOf(of).padEnd(width)}  ${majorOf(amount, currency)} ${currency}`;
  return [
    `${dayOf(line.at)} * (${line.transactionId}) ${line.slot}`,
    `    ; ${tagsOf(line)}`,
    posting(debit, amountMinor),
    posting(credit, -amountMinor),
  ];
};

/** A comma ends the value of a tag. */
const tagsOf = ({ id, journalId, at, orderReference, providerOrderId }: LedgerLine): string =>
  Object.entries({
    entry: String(id),
    journal: journalId,
    time: at.toISOString(),
    order: orderReference,
    provider_order: providerOrderId,
  })
    .flatMap(([name, value]) => (value === null ? [] : [`${name}:${oneLine(value).replaceAll(',', ' ')}`]))
    .join(', ');

const assertionOf = ({ account, currency, balanceMinor }: AccountBalance): string =>
  `    ${nameOf(account)}  ${majorOf(0n, currency)} ${currency} = ${majorOf(-balanceMinor, currency)} ${currency}`;
