import type { TimelineRow } from '@replenish/domain';
import { filedText } from '../frame/filed.js';
import {
  caseLink,
  codeMark,
  kindWords,
  mark,
  moneyText,
  outcomeMark,
  rechargeLink,
  slotWords,
  span,
  time,
} from '../frame/format.js';
import { type Html, html, nothing } from '../frame/html.js';
import type { Say } from '../frame/words.js';

/** All that happened, oldest first, each row as one sentence. */
export const timelineList = (rows: readonly TimelineRow[], ownId: string, say: Say): Html =>
  html`<ol class="timeline">${rows.map(
    (
      row,
      n,
    ) => html`<li class="${row.kind}">${time(row.at)} <span class="since">${sinceLast(rows, n, say)}</span>
<span class="what">${sentence(row, say)} ${row.transactionId === ownId ? nothing : html`<span class="note">${say('of')} ${rechargeLink(row.transactionId)}</span>`}</span></li>`,
  )}</ol>`;

function sinceLast(rows: readonly TimelineRow[], n: number, say: Say): string {
  const last = rows[n - 1];
  return last ? `+${span(rows[n]!.at.getTime() - last.at.getTime(), say)}` : '';
}

type Detail = (name: string) => string;

function sentence({ kind, detail }: TimelineRow, say: Say): Html {
  const of: Detail = (name) => textOf(detail[name]);
  return (sentences[kind] ?? unknown)(of, say, detail);
}

const textOf = (value: unknown): string => {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
};

const unknown = (_of: Detail, _say: Say, detail: Record<string, unknown>): Html =>
  html`${JSON.stringify(detail)}`;

const sentences: Readonly<Record<string, (of: Detail, say: Say, detail: Record<string, unknown>) => Html>> = {
  request: (of, say) =>
    html`<b>${say('Requested')}</b> ${say('with key')} <code>${of('idempotencyKey')}</code>`,
  transition: (of, say) =>
    html`<b>${say('News')}${say(': ')}${say(of('news'))}</b> ${codeMark(of('verdict'), say)} ${of('from') === of('to') ? say(of('to')) : html`${say(of('from'))} → ${codeMark(of('to'), say)}`} <span class="note">${say(of('source'))}${say(': ')}${filedText(of('reason'), say)}</span>`,
  provider_call: (of, say) =>
    html`<b>${say('Submit, attempt {n}', { n: of('attempt') })}</b> ${outcomeMark(of('outcome'), say)} <span class="note">${answerOf(of)}</span>`,
  poll: (of, say) =>
    html`<b>${say('Call')}${say(': ')}${say(of('operation'))}</b> ${outcomeMark(of('outcome'), say)} <span class="note">${answerOf(of)}</span>`,
  webhook: (of, say) =>
    html`<b>${say('Webhook')}</b> <code>${of('eventId')}</code> ${of('processedAt') === '' ? mark('waiting', say('not processed yet')) : codeMark(of('verdict') || 'processed', say)}`,
  posting: (of, say) =>
    html`<b>${say('Posting')}${say(': ')}${slotWords(of('slot'), say)}</b> ${of('debit')} → ${of('credit')} <span class="money">${amountOf(of)}</span>`,
  case: (of, say) =>
    html`<b>${say('Case')}${say(': ')}${kindWords(of('caseKind'), say)}</b> ${caseLink(of('caseId'))} ${of('closedAt') === '' ? mark('open', say('open')) : html`${mark('closed', say('closed'))} <span class="note">${resolutionText(of('resolution'), say)}</span>`}`,
  operator: (of, say) =>
    html`<b>${say('Decision')}${say(': ')}${say(of('verb'))}</b> ${say('by')} ${of('actor')} <span class="note">${say('({role})', { role: say(of('role')) })} ${of('reason')}</span>`,
};

/** How a case was closed: the verb in words and the reason as the person wrote it, or the later fact that closed it. */
export function resolutionText(resolution: string, say: Say): string {
  const [, verb = '', reason = resolution] =
    /^(adopt|return|fail|resubmit|dismiss): (.*)$/s.exec(resolution) ?? [];
  return verb === '' ? filedText(resolution, say) : `${say(verb)}${say(': ')}${reason}`;
}

const answerOf = (of: Detail): string =>
  [of('httpStatus') && `HTTP ${of('httpStatus')}`, of('providerCode')]
    .filter((part) => part !== '')
    .join(' · ');

const amountOf = (of: Detail): string =>
  /^-?\d+$/.test(of('amount')) ? moneyText(BigInt(of('amount')), of('currency')) : of('amount');
