import {
  type CasePreview,
  type CaseView,
  isVerb,
  type Journal,
  type ResolutionProblem,
  type Verb,
} from '@replenish/domain';
import type { Queues } from '@replenish/queues';
import type { Logger } from '@replenish/runtime';
import type { ConsoleFrame, PageCall, ShownPage } from '../frame/call.js';
import { formOf, passes } from '../frame/form.js';
import { codeMark, money, moneyText, slotWords } from '../frame/format.js';
import { type Html, html, nothing } from '../frame/html.js';
import { table } from '../frame/table.js';
import type { Say } from '../frame/words.js';
import type { CasePagesDeps } from './list-page.js';
import { caseSummary, noCase, resolutionPart } from './one-page.js';
import { verbMeaning, verbWords } from './words.js';

export type CaseVerbDeps = CasePagesDeps &
  Readonly<{ queues: Pick<Queues, 'hint'>; log: Logger; people: ConsoleFrame['people'] }>;

const verbOf = ({ request }: PageCall): Verb | null => {
  const text = String(request.params.verb);
  return isVerb(text) ? text : null;
};

/** What a verb would book and change, with the form that confirms it. */
export async function caseVerbPage(deps: CaseVerbDeps, call: PageCall): Promise<ShownPage> {
  return written(deps, call, null);
}

/** @param fault why the last try did nothing. It makes the answer 409, unless the case is decided */
async function written(
  deps: CaseVerbDeps,
  call: PageCall,
  fault: string | null,
  status = 409,
): Promise<ShownPage> {
  const id = String(call.request.params.id);
  const verb = verbOf(call);
  const one = await deps.domain.cases.one(id, null, deps.isRefunding);
  if (!one || verb === null) return noCase(call, id);
  const { say } = call;
  const title = say(verbWords[verb]);
  const preview = await deps.domain.cases.preview(
    { caseId: id, verb, reason: call.sent('reason') || '…' },
    deps.isRefunding,
  );
  if (!preview) return { title, status: 409, body: notOffered(one, call, fault) };
  const form = formOf(
    {
      ...{ action: `/cases/${one.id}/${verb}`, button: title, back: `/cases/${one.id}` },
      ...{ stamp: preview.stamp, fault, isDangerous: movesMoney(preview) || isOfStrangeMoney(one, verb) },
      ...(isOfStrangeMoney(one, verb) && { fields: accountField(call) }),
    },
    call,
  );
  const body = html`${caseSummary(one, call)}
<section class="consequence"><h2>${say('What will happen')}</h2><p>${say(verbMeaning[verb])}</p>${consequence(preview, say)}</section>${form}`;
  return { title, body, status: fault === null ? 200 : status };
}

const accountField = ({ say, sent }: PageCall): Html =>
  html`<label for="account">${say('Account')}</label><input id="account" name="account" required maxlength="64" value="${sent('account')}" autocomplete="off">`;

/** The money came without a recharge of ours, so only a person knows whose it is. */
const isOfStrangeMoney = (one: CaseView, verb: Verb): boolean =>
  verb === 'adopt' && one.kind === 'statement_theirs_only';

const movesMoney = ({ journals, returned, isSentAgain }: CasePreview): boolean =>
  journals.length > 0 || returned !== null || isSentAgain;

function notOffered(one: CaseView, call: PageCall, fault: string | null): Html {
  const { say } = call;
  const words = one.resolution
    ? say('Nothing was done: the case is decided already.')
    : say('The case does not offer this now.');
  return html`<p class="alarm" role="alert">${fault ?? words}</p>${resolutionPart(one, call)}${caseSummary(one, call)}<p><a class="button" href="/cases/${one.id}">${say('Back to the case')}</a></p>`;
}

function consequence(
  { from, to, journals, balances, failure, returned, isSentAgain }: CasePreview,
  say: Say,
): Html {
  return html`<ul>
${from !== null && to !== null ? html`<li>${say('The recharge')}${say(': ')}${from === to ? html`${codeMark(from, say)} ${say('stays as it is')}` : html`${codeMark(from, say)} → ${codeMark(to, say)}`}</li>` : html`<li>${say('The case is about no recharge: nothing but the case changes.')}</li>`}
${failure ? html`<li>${say('Its failure')}${say(': ')}<b>${failure.code}</b></li>` : nothing}
${returned ? html`<li>${say('A refund pays back')} ${money(returned.amountMinor, returned.currency)}</li>` : nothing}
${isSentAgain ? html`<li>${say('The order is sent to the provider again, at once.')}</li>` : nothing}
${journals.length === 0 ? html`<li>${say('Nothing is booked.')}</li>` : nothing}
<li>${say('The case is closed, with your name and reason.')}</li>
</ul>${journals.length > 0 ? postingTable(journals, say) : nothing}${balances.map(
    ({ account, currency, beforeMinor, afterMinor }) =>
      html`<p class="balance">${account}: ${moneyText(beforeMinor, currency)} → <b>${moneyText(afterMinor, currency)}</b></p>`,
  )}`;
}

const postingTable = (journals: readonly Journal[], say: Say): Html =>
  table(
    say('What is booked'),
    [
      { head: say('Slot'), cell: ({ slot }) => slotWords(slot, say) },
      { head: say('From'), cell: ({ debit }) => debit },
      { head: say('To'), cell: ({ credit }) => credit },
      {
        head: say('Amount'),
        cell: (row) => money(row.money.amountMinor, row.money.currency),
        isNumber: true,
      },
    ],
    journals.flatMap(({ slot, postings }) => postings.map((posting) => ({ slot, ...posting }))),
    '',
  );

const problemWords: Readonly<Record<ResolutionProblem, string>> = {
  unknown_case: 'There is no such case.',
  evidence_needed: 'Nothing was done: this needs evidence.',
  approval_needed: 'Nothing was done yet: a second person has to approve it. Then confirm it again here.',
  verb_not_offered: 'Nothing was done: the case does not offer this any more.',
  case_closed: 'Nothing was done: the case is decided already.',
  key_used_with_other_body: 'Nothing was done: the case was decided otherwise at the same moment.',
  insufficient_balance: 'Nothing was done: the wallet does not hold the money that goes out of it.',
  beyond_balance: 'Nothing was done: the wallet cannot hold the money.',
  account_needed: 'Nothing was done: name the account that the money belongs to.',
  unknown_account: 'Nothing was done: nobody has recharged this account yet.',
  not_understood: 'Nothing was done: only a newer release knows this recharge.',
};

/** Carries a decision out once. A form of an old page, or a repeated one, changes nothing, and the page says so. */
export async function decideCase(deps: CaseVerbDeps, call: PageCall): Promise<ShownPage | null> {
  const id = String(call.request.params.id);
  const verb = verbOf(call);
  const { say, user } = call;
  const one = await deps.domain.cases.one(id, null, deps.isRefunding);
  if (!one || verb === null) return noCase(call, id);
  const reason = call.sent('reason');
  if (reason === '') return written(deps, call, say('A reason is needed.'), 400);
  const preview = await deps.domain.cases.preview({ caseId: id, verb, reason }, deps.isRefunding);
  if (!preview) return written(deps, call, null);
  if (preview.stamp !== call.sent('stamp'))
    return written(
      deps,
      call,
      say('Nothing was done: the recharge has changed since you looked. Look at it again.'),
    );
  const isDangerous = movesMoney(preview) || isOfStrangeMoney(one, verb);
  if (isDangerous && !(await passes(deps.people.requireFreshCode, call))) return null;
  const answer = await deps.domain.cases.resolve(
    {
      ...{
        caseId: one.id,
        verb,
        reason,
        actor: user.name,
        role: user.role,
        viewer: null,
        idempotencyKey: null,
      },
      evidence: {
        shown: shownFacts(one, preview),
        ...(isOfStrangeMoney(one, verb) && { accountId: call.sent('account') }),
      },
    },
    deps.isRefunding,
  );
  if (!answer.ok) return written(deps, call, say(problemWords[answer.problem]));
  if (answer.refund) void deps.queues.hint(`submission-${answer.refund.provider}`, [answer.refund.id]);
  deps.log.info(
    { actor: user.name, role: user.role, caseId: one.id, verb, reason },
    'decision of an operator',
  );
  call.response.redirect(
    303,
    one.transactionId === null ? `/cases/${one.id}` : `/recharges/${one.transactionId}`,
  );
  return null;
}

/**
 * What the person saw before the decision, in a form that JSON can hold. An approval is bound to it, so it contains no
 * time that would differ from one look to the next.
 */
const shownFacts = (one: CaseView, { from, to, journals, stamp }: CasePreview): Record<string, unknown> => ({
  ...{ kind: one.kind, facts: one.evidence, from, to, stamp },
  postings: journals.flatMap(({ slot, postings }) =>
    postings.map(
      ({ debit, credit, money: { amountMinor, currency } }) =>
        `${slot}: ${debit} -> ${credit} ${amountMinor} ${currency}`,
    ),
  ),
});
