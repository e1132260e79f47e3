import { waitingBody } from '@replenish/assembly';
import type { CaseView, RechargeView } from '@replenish/domain';
import { may, type PageCall, type ShownPage } from '../frame/call.js';
import { filedText } from '../frame/filed.js';
import { accountLink, ageOf, codeMark, kindWords, mark, money, rechargeLink, time } from '../frame/format.js';
import { type Html, html, nothing } from '../frame/html.js';
import { facts, jsonText } from '../frame/table.js';
import { timelineList } from '../recharges/timeline.js';
import { waitingDetail } from '../recharges/words.js';
import { deskPart, dueOf, untouched } from './desk-part.js';
import type { CasePagesDeps } from './list-page.js';
import { questions, verbMeaning, verbWords } from './words.js';

/** One case with its facts, and the decisions that it offers. */
export async function casePage(deps: CasePagesDeps, call: PageCall): Promise<ShownPage> {
  const { domain, isRefunding } = deps;
  const id = String(call.request.params.id);
  const one = await domain.cases.one(id, null, isRefunding);
  if (!one) return noCase(call, id);
  const { transactionId } = one;
  const [recharge, rows] =
    transactionId === null
      ? [null, []]
      : await Promise.all([domain.reads.recharge(transactionId), domain.reads.timeline(transactionId)]);
  const { say } = call;
  const waiting = recharge && waitingBody(recharge);
  const body = html`${caseSummary(one, call, recharge)}
${one.resolution ? resolutionPart(one, call) : verbChoice(one, call)}
${await deskOf(deps, one, call)}
<section><h2>${say('Evidence')}</h2>${jsonText(one.evidence)}</section>
${recharge ? html`<section><h2>${say('Recharge')}</h2><p>${rechargeLink(recharge.id)} ${codeMark(recharge.state, say)} ${money(recharge.amountMinor, recharge.currency)} ${waiting ? html`<span class="note">${waitingDetail(waiting, say)}</span>` : nothing}</p>${timelineList(rows, recharge.id, say)}</section>` : nothing}`;
  return { title: `${say('Case')}${say(': ')}${kindWords(one.kind, say)}`, body, isLive: true };
}

async function deskOf({ domain, casesDueMs }: CasePagesDeps, one: CaseView, call: PageCall): Promise<Html> {
  const { desk } = domain;
  const [entries, acts, channels] = await Promise.all([
    desk.of([one.id]),
    desk.history(one.id),
    desk.channels(),
  ]);
  const entry = entries.get(one.id) ?? untouched;
  return deskPart(
    one,
    { entry, acts, due: dueOf(one, entry, casesDueMs), isSendable: channels.length > 0 },
    call,
  );
}

export const noCase = ({ say }: PageCall, id: string): ShownPage => ({
  title: say('Nothing found'),
  status: 404,
  body: html`<p>${say('There is no case')} <code>${id}</code>.</p><p><a href="/cases">${say('All cases')}</a></p>`,
});

/** @param recharge what the case is about, where its amount is to be compared with that of the case */
export const caseSummary = (
  one: CaseView,
  { say, now }: Pick<PageCall, 'say' | 'now'>,
  recharge: Pick<RechargeView, 'amountMinor' | 'currency'> | null = null,
): Html => html`<div class="summary">
<p class="headline">${one.closedAt ? mark('closed', say('closed')) : mark('open', say('open'))} ${say(questions[one.kind as keyof typeof questions] ?? one.kind)}</p>
${facts([
  [say('Money'), one.amountMinor !== null && one.currency !== null && money(one.amountMinor, one.currency)],
  [say('Amount of the recharge'), recharge && money(recharge.amountMinor, recharge.currency)],
  [
    say('About'),
    one.transactionId === null ? html`<code>${one.subject}</code>` : rechargeLink(one.transactionId),
  ],
  [say('Account'), one.accountId && accountLink(one.accountId)],
  [say('Opened'), html`${time(one.openedAt)} · ${ageOf(one.openedAt, { say, now })}`],
  [say('Id'), html`<code class="id">${one.id}</code>`],
])}
</div>`;

export const resolutionPart = ({ resolution }: CaseView, { say }: Pick<PageCall, 'say'>): Html =>
  resolution
    ? html`<p class="decided"><b>${resolution.verb ? say(verbWords[resolution.verb as keyof typeof verbWords] ?? resolution.verb) : say('Settled by later facts')}</b> ${resolution.actor ? html`${say('by')} ${resolution.actor}` : nothing} ${time(resolution.at)}${say(': ')}${resolution.verb ? resolution.reason : filedText(resolution.reason, say)}</p>`
    : nothing;

function verbChoice(one: CaseView, call: PageCall): Html {
  const { say } = call;
  if (!may(call, 'operator')) return html`<p class="note">${say('An operator can decide about it.')}</p>`;
  return html`<section><h2>${say('What can be decided')}</h2><ul class="choice">${one.verbs.map(
    (verb) =>
      html`<li><a class="button" href="/cases/${one.id}/${verb}">${say(verbWords[verb])}</a> ${say(verbMeaning[verb])}</li>`,
  )}</ul></section>`;
}
