import type { CaseView, DeskAct, DeskEntry } from '@replenish/domain';
import { may, type PageCall } from '../frame/call.js';
import { filedText } from '../frame/filed.js';
import { mark, span, time } from '../frame/format.js';
import { type Html, html, nothing } from '../frame/html.js';
import { facts } from '../frame/table.js';
import type { Say } from '../frame/words.js';

export const untouched: DeskEntry = { assignee: null, dueAt: null, version: 0 };

/** @param dueAfterMs the time from the opening of a case to its due time, where a person has set none */
export const dueOf = (
  { openedAt }: Pick<CaseView, 'openedAt'>,
  { dueAt }: DeskEntry,
  dueAfterMs: number,
): Date => dueAt ?? new Date(openedAt.getTime() + dueAfterMs);

/** How long until the due time, or how long it is over. */
export function untilDue(due: Date, { say, now }: Pick<PageCall, 'say' | 'now'>): Html {
  const leftMs = due.getTime() - now.getTime();
  return leftMs > 0
    ? html`${say('in {span}', { span: span(leftMs, say) })}`
    : html`${mark('overdue', say('overdue'))} ${span(-leftMs, say)}`;
}

/** Who works on a case, until when, and what people said about it. */
export function deskPart(
  one: CaseView,
  {
    entry,
    acts,
    due,
    isSendable,
  }: Readonly<{
    entry: DeskEntry;
    acts: readonly DeskAct[];
    due: Date;
    /** Whether a channel of notices is open. */
    isSendable: boolean;
  }>,
  call: PageCall,
): Html {
  const { say, user } = call;
  const isOffered = one.closedAt === null && may(call, 'operator');
  const button = (verb: string, text: string): Html =>
    html`<a class="button" href="/cases/${one.id}/${verb}">${text}</a> `;
  return html`<section><h2>${say('Work on it')}</h2>
${facts([
  [say('Assignee'), entry.assignee ?? say('nobody')],
  [say('Due'), one.closedAt === null && html`${time(due)} · ${untilDue(due, call)}`],
])}
${isOffered ? html`<p class="verbs">${button('assign', entry.assignee === user.name ? say('Give it to somebody else') : say('Assign it'))}${button('due', say('Set the due time'))}${button('comment', say('Comment'))}${isSendable ? button('send', say('Send it out')) : nothing}</p>` : nothing}
${acts.length === 0 ? html`<p class="empty">${say('Nobody has said anything about it.')}</p>` : html`<ol class="said">${acts.map((act) => html`<li><p class="note">${time(act.at)} <b>${act.actor}</b> ${actWords(act, say)}</p>${act.verb === 'comment' || act.verb === 'send' ? html`<p class="comment">${act.text}</p>` : nothing}</li>`)}</ol>`}
</section>`;
}

const actWords = ({ verb, text }: DeskAct, say: Say): string => {
  if (verb === 'comment') return say('commented');
  if (verb === 'send') return say('sent it out');
  return `${verb === 'assign' ? say('assigned it') : say('set the due time')}${say(': ')}${filedText(text, say)}`;
};
