import { waitingBody } from '@replenish/assembly';
import {
  type CallView,
  type CaseView,
  type EventView,
  isFinal,
  isUuid,
  type RechargeView,
  type TimelineRow,
} from '@replenish/domain';
import { verbWords } from '../cases/words.js';
import { may, type PageCall, type ShownPage } from '../frame/call.js';
import { filedText } from '../frame/filed.js';
import {
  accountLink,
  caseLink,
  codeMark,
  kindWords,
  mark,
  money,
  outcomeMark,
  rechargeLink,
  slotWords,
  span,
  time,
} from '../frame/format.js';
import { type Html, html, nothing } from '../frame/html.js';
import { facts, jsonText, table } from '../frame/table.js';
import type { Say } from '../frame/words.js';
import type { RechargePagesDeps } from './list-page.js';
import { noRecharge } from './missing.js';
import { readableBody } from './secrets-cut.js';
import { resolutionText, timelineList } from './timeline.js';
import { rechargeVerbs } from './verbs.js';
import { waitingSentence } from './words.js';

const REFUNDS_SHOWN_MAX = 50;

/** Everything that is known of one recharge, and what can be done about it now. */
export async function rechargePage(deps: RechargePagesDeps, call: PageCall): Promise<ShownPage> {
  const id = String(call.request.params.id).toLowerCase();
  const recharge = isUuid(id) ? await deps.domain.reads.recharge(id) : null;
  if (!recharge) return noRecharge(call, id);
  const { reads, console: wide } = deps.domain;
  const refunds = recharge.state === 'SUCCEEDED' ? await reads.refunds(id) : [];
  const parts = [...(recharge.delivery ? [recharge.delivery.id] : []), ...refunds.map((one) => one.id)];
  const [rows, calls, events, open] = await Promise.all([
    reads.timeline(id, parts.slice(0, REFUNDS_SHOWN_MAX)),
    wide.callsOf(id),
    wide.eventsOf(id),
    deps.domain.cases.list({ viewer: null, transactionId: id, status: 'open', limit: 5 }, deps.isRefunding),
  ]);
  const { say } = call;
  const body = html`${summary(recharge, call)}
${verbsPart(recharge, open.rows, call)}
<section><h2>${say('Timeline')}</h2>${timelineList(rows, id, say)}</section>
<section><h2>${say('Cases')}</h2>${casesPart(rows, say)}</section>
<section><h2>${say('Postings')}</h2>${postingsPart(rows, say)}</section>
<section><h2>${say('Calls to the provider')}</h2>${callsPart(calls, say)}</section>
<section><h2>${say('Webhooks')}</h2>${eventsPart(events, say)}</section>
<section><h2>${say('Metadata')}</h2>${Object.keys(recharge.metadata).length === 0 ? html`<p class="empty">${say('None.')}</p>` : jsonText(recharge.metadata)}</section>
<p><a href="/recharges/${id}/evidence">${say('Save the evidence')}</a></p>`;
  const title = `${say('Recharge')} ${id.slice(-12)}`;
  return { title, body, isLive: true };
}

function summary(r: RechargeView, { say, now }: PageCall): Html {
  const waiting = waitingBody(r);
  return html`<div class="summary">
<p class="headline">${codeMark(r.state, say)} ${money(r.amountMinor, r.currency)} ${say(`${r.kind} of account`)} ${accountLink(r.accountId)}</p>
${waiting ? html`<p class="waiting" role="status">${waitingSentence(waiting, { say, now })} ${waiting.caseId === undefined ? nothing : html`<a class="button" href="/cases/${waiting.caseId}">${say('Open the case')}</a>`}</p>` : nothing}
${r.failureCode === null ? nothing : html`<p class="alarm"><b>${r.failureCode}</b> ${filedText(r.failureMessage ?? '', say)}</p>`}
${facts([
  [say('Id'), html`<code class="id">${r.id}</code>`],
  [say('Provider'), `${r.provider} · ${r.providerAccount}`],
  [say('Provider order'), r.providerOrderId && html`<code>${r.providerOrderId}</code>`],
  [say('Number on statements'), r.externalReference && html`<code>${r.externalReference}</code>`],
  [say('Reference'), r.orderReference],
  [say('Payment method'), r.paymentMethod],
  [say('Paid by'), say(r.funding)],
  [say('Collected by'), r.collectedBy && rechargeLink(r.collectedBy)],
  [say('Delivery'), r.delivery && html`${rechargeLink(r.delivery.id)} ${codeMark(r.delivery.state, say)}`],
  [say('Refund of'), r.refundOf && rechargeLink(r.refundOf)],
  [say('Refunded'), r.refundedMinor > 0n && money(r.refundedMinor, r.currency)],
  [say('Client'), html`<code class="id">${r.clientId}</code>`],
  [say('Created'), time(r.createdAt)],
  [say('Submitted'), r.submittedAt && time(r.submittedAt)],
  [say('Succeeded'), r.succeededAt && time(r.succeededAt)],
  [say('Failed'), r.failedAt && time(r.failedAt)],
  [say('Canceled'), r.canceledAt && time(r.canceledAt)],
  [say('Next look'), r.dueAt && !isFinal(r.state) && time(r.dueAt)],
])}
</div>`;
}

function verbsPart(r: RechargeView, open: readonly CaseView[], call: PageCall): Html {
  const { say } = call;
  if (!may(call, 'operator')) return nothing;
  const own = rechargeVerbs(r).map(
    ({ verb, text }) => html`<a class="button" href="/recharges/${r.id}/${verb}">${say(text)}</a> `,
  );
  const ofCases = open.map(
    (one) =>
      html`<div class="verbs" role="group" aria-label="${kindWords(one.kind, say)}"><span class="note">${say('Case')}${say(': ')}${kindWords(one.kind, say)}</span> ${one.verbs.map(
        (verb) => html`<a class="button" href="/cases/${one.id}/${verb}">${say(verbWords[verb])}</a> `,
      )}</div>`,
  );
  return html`${own.length === 0 ? nothing : html`<div class="verbs" role="group" aria-label="${say('What can be done now')}">${own}</div>`}${ofCases}`;
}

const rowsOf = (rows: readonly TimelineRow[], kind: string) => rows.filter((row) => row.kind === kind);
const textOf = (value: unknown): string => (value === null || value === undefined ? '' : String(value));

const casesPart = (rows: readonly TimelineRow[], say: Say): Html =>
  table(
    say('Cases'),
    [
      { head: say('Case'), cell: ({ detail }) => caseLink(textOf(detail.caseId)) },
      { head: say('Kind'), cell: ({ detail }) => kindWords(textOf(detail.caseKind), say) },
      { head: say('Opened'), cell: ({ at }) => time(at) },
      {
        head: say('State'),
        cell: ({ detail }) => (detail.closedAt ? mark('closed', say('closed')) : mark('open', say('open'))),
      },
      { head: say('Outcome'), cell: ({ detail }) => resolutionText(textOf(detail.resolution), say) },
    ],
    rowsOf(rows, 'case'),
    say('No case was opened.'),
  );

const postingsPart = (rows: readonly TimelineRow[], say: Say): Html =>
  table(
    say('Postings'),
    [
      { head: say('At'), cell: ({ at }) => time(at) },
      { head: say('Slot'), cell: ({ detail }) => slotWords(textOf(detail.slot), say) },
      { head: say('From'), cell: ({ detail }) => textOf(detail.debit) },
      { head: say('To'), cell: ({ detail }) => textOf(detail.credit) },
      {
        head: say('Amount'),
        cell: ({ detail }) => money(BigInt(textOf(detail.amount)), textOf(detail.currency)),
        isNumber: true,
      },
    ],
    rowsOf(rows, 'posting'),
    say('Nothing is booked.'),
  );

const callsPart = (calls: readonly CallView[], say: Say): Html =>
  table<CallView>(
    say('Calls to the provider'),
    [
      { head: say('Began'), cell: ({ startedAt }) => time(startedAt) },
      { head: say('Operation'), cell: ({ operation, attempt }) => `${say(operation)} · ${attempt}` },
      { head: say('Outcome'), cell: ({ outcome }) => outcomeMark(outcome ?? 'unanswered', say) },
      { head: 'HTTP', cell: ({ httpStatus }) => httpStatus ?? '', isNumber: true },
      { head: say('Code'), cell: ({ providerCode }) => providerCode ?? '' },
      {
        head: say('Took'),
        cell: ({ startedAt, endedAt }) =>
          endedAt ? span(endedAt.getTime() - startedAt.getTime(), say) : '-',
        isNumber: true,
      },
      {
        head: say('Evidence'),
        cell: ({ evidence }) =>
          evidence ? html`<details><summary>${say('show')}</summary>${jsonText(evidence)}</details>` : '',
      },
    ],
    calls,
    say('The provider was not called.'),
  );

const eventsPart = (events: readonly EventView[], say: Say): Html =>
  events.length === 0
    ? html`<p class="empty">${say('The provider has told nothing by itself.')}</p>`
    : html`${events.map(
        (event) =>
          html`<details class="event"><summary>${time(event.storedAt)} <code>${event.eventId}</code> ${event.processedAt ? codeMark(event.verdict ?? 'processed', say) : mark('waiting', say('not processed yet'))}</summary><pre tabindex="0">${readableBody(event, say)}</pre></details>`,
      )}`;
