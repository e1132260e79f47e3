import { waitingBody } from '@replenish/assembly';
import {
  type Domain,
  type IsRefunding,
  isUuid,
  type RechargeView,
  states,
  waitingReasons,
} from '@replenish/domain';
import { may, type PageCall, type ShownPage } from '../frame/call.js';
import { accountLink, ageOf, codeMark, money, rechargeLink, time } from '../frame/format.js';
import { type Html, html, nothing, trusted } from '../frame/html.js';
import { nextLink, table } from '../frame/table.js';
import type { Say } from '../frame/words.js';
import { sendRechargesCsv } from './csv.js';
import { addressOf, amountIn, domainFilter, type Filters, filtersOf } from './filters.js';
import { reasonWords, waitingDetail } from './words.js';

export type RechargePagesDeps = Readonly<{
  domain: Pick<Domain, 'console' | 'reads' | 'cases'>;
  isRefunding: IsRefunding;
  /** The names of the providers. */
  names: readonly string[];
}>;

const PAGE_ROWS = 50;
const CSV_ROWS = 1_000;

/** The list of recharges, or the page of the one thing that the searched text names. */
export async function rechargesPage(deps: RechargePagesDeps, call: PageCall): Promise<ShownPage | null> {
  const text = call.asked('q')?.trim() ?? '';
  if (text === '') return listOf(deps, call, filtersOf(call));
  const address = await meantBy(deps, text);
  if (address === null) return notFound(call, text);
  call.response.redirect(303, address);
  return null;
}

/** The address of what a text names. Null: nothing has that name, and it is no amount. */
async function meantBy({ domain, names }: RechargePagesDeps, text: string): Promise<string | null> {
  const hits = await domain.console.find(text, names);
  const [first] = hits;
  if (first?.kind === 'account') return `/accounts/${encodeURIComponent(text)}`;
  const found = [...new Set(hits.flatMap(({ transactionId }) => transactionId ?? []))];
  if (first?.kind === 'case') return `/cases/${first.caseId}`;
  if (found.length === 1) return `/recharges/${found[0]}`;
  if (found.length > 1) return `/recharges?ids=${found.join(',')}`;
  return amountIn(text) ? `/recharges?amount=${encodeURIComponent(text)}` : null;
}

const notFound = ({ say }: PageCall, text: string): ShownPage => ({
  title: say('Nothing found'),
  status: 404,
  body: html`<p>${say('No recharge, order, key, account, reference, event or case is called')} <q>${text}</q>.</p>
<p>${say('Numbers are compared as a whole, with capitals. Amounts are found as 49.99 USD, or in minor units.')}</p>
<p><a href="/recharges">${say('All recharges')}</a></p>`,
});

async function listOf(deps: RechargePagesDeps, call: PageCall, filters: Filters): Promise<ShownPage | null> {
  const ids = call.asked('ids');
  if (ids !== null) return listOfIds(deps, call, ids.split(',').filter(isUuid).slice(0, PAGE_ROWS));
  const isCsv = call.asked('format') === 'csv';
  const after = call.asked('after');
  const before = after !== null && isUuid(after) ? after : undefined;
  const limit = isCsv ? CSV_ROWS : PAGE_ROWS;
  const { rows, next, isCut } = await deps.domain.console.list({ ...domainFilter(filters), before, limit });
  if (isCsv) {
    sendRechargesCsv(call.response, rows, next);
    return null;
  }
  const { say } = call;
  const body = html`${filterForm(filters, deps.names, say)}
${isCut ? html`<p class="alarm" role="status">${say('More was there than could be looked at: this page may lack some.')}</p>` : nothing}
${rechargeTable(rows, call)}
<div class="pager">${nextLink(next === null ? null : addressOf(filters, { after: next }), say('Older ones'))}
<p><a href="${addressOf(filters, { format: 'csv' })}">${say('Save as CSV')}</a></p>
${may(call, 'operator') ? html`<p><a href="${addressOf(filters, { verb: 'recheck' }).replace('/recharges?', '/bulk/new?')}">${say('Ask the providers about all of these')}</a></p>` : nothing}</div>`;
  return { title: say('Recharges'), body, isLive: before === undefined };
}

async function listOfIds({ domain }: RechargePagesDeps, call: PageCall, ids: string[]): Promise<ShownPage> {
  const found = await Promise.all(ids.map((id) => domain.reads.recharge(id)));
  const rows = found.filter((one) => one !== null);
  return { title: call.say('Recharges'), body: rechargeTable(rows, call) };
}

export const rechargeTable = (
  rows: readonly RechargeView[],
  { say, now }: Pick<PageCall, 'say' | 'now'>,
): Html =>
  table<RechargeView>(
    say('Recharges'),
    [
      { head: say('Recharge'), cell: ({ id }) => rechargeLink(id) },
      { head: say('State'), cell: ({ state }) => codeMark(state, say) },
      { head: say('Waits for'), cell: (row) => waitingCell(row, say) },
      {
        head: say('Amount'),
        cell: ({ amountMinor, currency }) => money(amountMinor, currency),
        isNumber: true,
      },
      { head: say('Account'), cell: ({ accountId }) => accountLink(accountId) },
      { head: say('Kind'), cell: ({ kind, provider }) => `${say(kind)} · ${provider}`, text: 'short' },
      { head: say('Reference'), cell: ({ orderReference }) => orderReference ?? '' },
      { head: say('Created'), cell: ({ createdAt }) => time(createdAt) },
      { head: say('Age'), cell: ({ createdAt }) => ageOf(createdAt, { say, now }), isNumber: true },
    ],
    rows,
    say('No recharge fits.'),
  );

function waitingCell(row: RechargeView, say: Say): Html {
  const waiting = waitingBody(row);
  if (!waiting) return nothing;
  const words = html`<span title="${waitingDetail(waiting, say)}">${say(reasonWords[waiting.reason] ?? waiting.reason)}</span>`;
  return waiting.caseId === undefined ? words : html`<a href="/cases/${waiting.caseId}">${words}</a>`;
}

function filterForm(filters: Filters, providers: readonly string[], say: Say): Html {
  const select = (
    name: 'status' | 'waiting' | 'provider' | 'kind',
    label: string,
    words: readonly (readonly [string, string])[],
  ): Html =>
    html`<label>${label} <select name="${name}"><option value="">${say('all')}</option>${words.map(
      ([value, text]) =>
        html`<option value="${value}" ${filters[name] === value ? trusted('selected') : nothing}>${text}</option>`,
    )}</select></label>`;
  const input = (
    name: 'account' | 'currency' | 'amount' | 'from' | 'to',
    label: string,
    type = 'text',
  ): Html =>
    html`<label>${label} <input name="${name}" type="${type}" value="${filters[name] ?? ''}" autocomplete="off"></label>`;
  const isSet = Object.values(filters).some((value) => value !== null);
  return html`<form class="filters" method="get" action="/recharges" aria-label="${say('Filters')}">
${select('status', say('State'), [['OPEN', say('unfinished')], ...states.map((state) => [state, say(state)] as const)])}
${select('waiting', say('Waits for'), [['any', say('anything')], ...waitingReasons.map((reason) => [reason, say(reasonWords[reason] ?? reason)] as const)])}
${select(
  'provider',
  say('Provider'),
  providers.map((name) => [name, name] as const),
)}
${select(
  'kind',
  say('Kind'),
  ['collect', 'deliver', 'refund', 'recall'].map((kind) => [kind, say(kind)] as const),
)}
${input('account', say('Account'))}
${input('amount', say('Amount'))}
${input('currency', say('Currency'))}
${input('from', say('From'), 'date')}
${input('to', say('Until'), 'date')}
${(['older', 'younger'] as const).map((name) => (filters[name] === null ? nothing : html`<input type="hidden" name="${name}" value="${filters[name]}">`))}
<button>${say('Filter')}</button> ${isSet ? html`<a href="/recharges">${say('Clear')}</a>` : nothing}
</form>`;
}
