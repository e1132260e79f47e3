import { type Domain, isUuid, type PlanLineView, type PlanProgress, type PlanView } from '@replenish/domain';
import { may, type PageCall, type ShownPage } from '../frame/call.js';
import { filedText } from '../frame/filed.js';
import { accountLink, mark, money, rechargeLink, shortId, time } from '../frame/format.js';
import { type Html, html, nothing } from '../frame/html.js';
import { facts, nextLink, table } from '../frame/table.js';
import { nothingFound } from '../frame/verb.js';
import { becauseWords } from '../rules/words.js';
import { planVerbWords, verbsOfPlan } from './verbs.js';

export type PlanPagesDeps = Readonly<{ domain: Pick<Domain, 'plans'> }>;

const PAGE_ROWS = 50;
const LINES_SHOWN = 100;

/** The plans of all clients with their progress, newest first. */
export async function plansPage({ domain }: PlanPagesDeps, call: PageCall): Promise<ShownPage> {
  const { say, asked } = call;
  const after = asked('after');
  const beforeId = after !== null && isUuid(after) ? after : undefined;
  const { rows, nextId } = await domain.plans.list({ viewer: null, beforeId, limit: PAGE_ROWS });
  const plans = await domain.plans.progress(rows);
  const body = html`${table<PlanProgress>(
    say('Plans'),
    [
      { head: say('Name'), cell: ({ id, name }) => html`<a href="/plans/${id}">${name}</a>` },
      {
        head: say('Client'),
        cell: ({ clientId }) => html`<code title="${clientId}">${shortId(clientId)}</code>`,
      },
      { head: say('State'), cell: (plan) => planState(plan, call) },
      { head: say('Lines'), cell: ({ lines }) => lines, isNumber: true },
      { head: say('Amount'), cell: (plan) => money(plan.totalMinor, plan.currency), isNumber: true },
      { head: say('Progress'), cell: (plan) => progressOf(plan, call) },
      { head: say('Created'), cell: ({ createdAt }) => time(createdAt) },
    ],
    plans,
    say('There is no plan.'),
  )}${nextLink(nextId && `/plans?after=${nextId}`, say('Older ones'))}`;
  return { title: say('Plans'), body };
}

export const planState = ({ status, pausedBecause }: PlanView, { say }: PageCall): Html =>
  html`${mark(status === 'finished' ? 'ok' : status === 'canceled' ? 'canceled' : 'waiting', say(status))} ${pausedBecause && html`<span title="${pausedBecause}">${say(becauseWords[pausedBecause as keyof typeof becauseWords] ?? pausedBecause)}</span>`}`;

const progressOf = ({ sums }: PlanProgress, { say }: PageCall): string =>
  sums.map(({ status, lines }) => `${say(status)} ${lines}`).join(' · ');

/** One plan with its progress and its lines. */
export async function planPage({ domain }: PlanPagesDeps, call: PageCall): Promise<ShownPage> {
  const { say, asked, request } = call;
  const plan = await domain.plans.one(String(request.params.id), null);
  if (!plan) return nothingFound(call);
  const after = asked('after');
  const afterPlace = after !== null && /^\d{1,6}$/.test(after) ? Number(after) : 0;
  const found = await domain.plans.lines(plan.id, { afterPlace, limit: LINES_SHOWN + 1 });
  const lines = found.slice(0, LINES_SHOWN);
  const next = found.length > LINES_SHOWN ? `/plans/${plan.id}?after=${lines.at(-1)!.place}#lines` : null;
  const verbs = may(call, 'operator') ? verbsOfPlan(plan) : [];
  const body = html`<div class="summary"><p class="headline">${planState(plan, call)} ${plan.name}</p>
${facts([
  [say('Id'), html`<code class="id">${plan.id}</code>`],
  [say('Client'), html`<code class="id">${plan.clientId}</code>`],
  [say('Amount'), money(plan.totalMinor, plan.currency)],
  [say('Budget'), plan.budgetMinor !== null && money(plan.budgetMinor, plan.currency)],
  [say('Canary'), plan.canaryMinor !== null && money(plan.canaryMinor, plan.currency)],
  [say('Lines'), plan.lines],
  [say('Created by'), say(plan.createdBy)],
  [say('Started by'), plan.startedBy && say(plan.startedBy)],
  [say('Created'), time(plan.createdAt)],
  [say('Started'), plan.startedAt && time(plan.startedAt)],
  [say('Finished'), plan.finishedAt && time(plan.finishedAt)],
])}</div>
${verbs.length === 0 ? nothing : html`<p class="verbs">${verbs.map((verb) => html`<a class="button" href="/plans/${plan.id}/${verb}">${say(planVerbWords[verb])}</a> `)}</p>`}
<section><h2>${say('Progress')}</h2>${sumTable(plan, call)}</section>
<section id="lines"><h2>${say('Lines')}</h2>${lineTable(lines, plan, call)}${nextLink(next, say('Next ones'))}</section>`;
  return { title: say('Plan'), body, isLive: afterPlace === 0 };
}

const sumTable = ({ sums, currency }: PlanProgress, { say }: PageCall): Html =>
  table(
    say('Progress'),
    [
      { head: say('State'), cell: ({ status }) => mark(status, say(status)) },
      { head: say('Lines'), cell: ({ lines }) => lines, isNumber: true },
      { head: say('Amount'), cell: ({ amountMinor }) => money(amountMinor, currency), isNumber: true },
    ],
    sums,
    say('None.'),
  );

/** The status of a line, and whether it waits until a small line has arrived at the payee. */
const lineState = ({ status, isHeld }: PlanLineView, say: PageCall['say']): Html =>
  html`${mark(status, say(status))}${isHeld ? html` ${say('held until the canary has arrived')}` : nothing}`;

const wayOf = ({ paymentMethod, providerAccount }: PlanLineView): string =>
  providerAccount === null ? paymentMethod : `${paymentMethod} · ${providerAccount}`;

const lineTable = (lines: readonly PlanLineView[], { currency }: PlanView, { say }: PageCall): Html =>
  table<PlanLineView>(
    say('Lines'),
    [
      { head: say('Line'), cell: ({ line }) => line, isNumber: true },
      { head: say('Account'), cell: ({ accountId }) => accountLink(accountId) },
      { head: say('Amount'), cell: ({ amountMinor }) => money(amountMinor, currency), isNumber: true },
      { head: say('Payment method'), cell: wayOf },
      { head: say('Reference'), cell: ({ orderReference }) => orderReference ?? '' },
      { head: say('State'), cell: (line) => lineState(line, say) },
      { head: say('Recharge'), cell: ({ transactionId }) => transactionId && rechargeLink(transactionId) },
      {
        head: say('Its failure'),
        cell: ({ failureCode, failureMessage }) =>
          failureCode && html`<span title="${filedText(failureMessage ?? '', say)}">${failureCode}</span>`,
      },
    ],
    lines,
    say('None.'),
  );
