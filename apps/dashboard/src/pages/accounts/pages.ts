import type { AccountPlace, AccountRow, Domain, WalletEntry } from '@replenish/domain';
import type { PageCall, ShownPage } from '../frame/call.js';
import { accountLink, mark, money, rechargeLink, slotWords, time } from '../frame/format.js';
import { html, nothing } from '../frame/html.js';
import { facts, nextLink, table } from '../frame/table.js';
import { rechargeTable } from '../recharges/list-page.js';

export type AccountPagesDeps = Readonly<{ domain: Pick<Domain, 'console' | 'balances' | 'payees'> }>;

const PAGE_ROWS = 50;

/** The wallets in the order of their names. */
export async function accountsPage({ domain }: AccountPagesDeps, call: PageCall): Promise<ShownPage> {
  const { say, asked } = call;
  const [accountId, currency] = [asked('after'), asked('currency')];
  const after: AccountPlace | null = accountId === null ? null : { accountId, currency: currency ?? '' };
  const { rows, next } = await domain.console.accounts(after, PAGE_ROWS);
  const body = html`${table<AccountRow>(
    say('Accounts'),
    [
      { head: say('Account'), cell: ({ accountId: id }) => accountLink(id) },
      { head: say('Available'), cell: (row) => money(row.availableMinor, row.currency), isNumber: true },
      { head: say('Frozen'), cell: (row) => money(row.frozenMinor, row.currency), isNumber: true },
    ],
    rows,
    say('No account has a wallet yet.'),
  )}${nextLink(next && `/accounts?${new URLSearchParams({ after: next.accountId, currency: next.currency })}`, say('Next ones'))}`;
  return { title: say('Accounts'), body };
}

/** One account: balances, the newest entries of its wallet, its payee and its newest recharges. */
export async function accountPage({ domain }: AccountPagesDeps, call: PageCall): Promise<ShownPage> {
  const { say, asked } = call;
  const accountId = String(call.request.params.id);
  const before = asked('before');
  const beforeId = before !== null && /^\d{1,18}$/.test(before) ? BigInt(before) : undefined;
  const [{ balances, asOf }, entries, payee, recharges] = await Promise.all([
    domain.balances.statement({ accountId, limit: 1 }),
    domain.balances.entries({ accountId, limit: PAGE_ROWS, beforeId }),
    domain.payees.of(accountId),
    domain.console.list({ accountId, limit: 20 }),
  ]);
  const isKnown =
    balances.length > 0 || payee !== null || recharges.rows.length > 0 || recharges.next !== null;
  const last = entries.length === PAGE_ROWS ? entries.at(-1)! : null;
  const body = html`${isKnown ? nothing : html`<p class="alarm">${say('Nothing is known of this account.')}</p>`}
<section><h2>${say('Balances')}</h2>${table(
    say('Balances'),
    [
      { head: say('Currency'), cell: ({ currency }) => currency },
      { head: say('Available'), cell: (row) => money(row.availableMinor, row.currency), isNumber: true },
      { head: say('Frozen'), cell: (row) => money(row.frozenMinor, row.currency), isNumber: true },
    ],
    balances,
    say('It has no wallet.'),
  )}<p class="note">${say('As of')} ${time(asOf)}</p></section>
${
  payee
    ? html`<section><h2>${say('Payee')}</h2>${facts([
        [say('Provider'), `${payee.provider} · ${payee.providerAccount}`],
        [say('From'), payee.from],
        [say('To'), payee.to],
        [say('Currency'), payee.currency],
        [say('Since'), time(payee.updatedAt)],
      ])}</section>`
    : nothing
}
<section><h2>${say('Recharges')}</h2>${rechargeTable(recharges.rows, call)}<p><a href="/recharges?account=${encodeURIComponent(accountId)}">${say('All recharges of this account')}</a></p></section>
<section id="statement"><h2>${say('Statement')}</h2>${entryTable(entries, call)}${nextLink(last && `/accounts/${encodeURIComponent(accountId)}?before=${last.id}#statement`, say('Older ones'))}</section>`;
  return {
    title: `${say('Account')} ${accountId}`,
    body,
    status: isKnown ? 200 : 404,
    isLive: beforeId === undefined,
  };
}

const entryTable = (entries: readonly WalletEntry[], { say }: PageCall) =>
  table<WalletEntry>(
    say('Statement'),
    [
      { head: say('At'), cell: ({ at }) => time(at) },
      { head: say('Slot'), cell: ({ slot }) => mark('slot', slotWords(slot, say)) },
      { head: say('Recharge'), cell: ({ transactionId }) => rechargeLink(transactionId) },
      { head: say('With'), cell: ({ counterparty }) => counterparty },
      { head: say('Amount'), cell: (row) => money(row.amountMinor, row.currency), isNumber: true },
      { head: say('Balance'), cell: (row) => money(row.balanceMinor, row.currency), isNumber: true },
    ],
    entries,
    say('Nothing is booked.'),
  );
