import { type ApprovalProblem, type ApprovalView, type Domain, isUuid } from '@replenish/domain';
import { type ConsoleFrame, may, type PageCall, type ShownPage } from '../frame/call.js';
import { filedText } from '../frame/filed.js';
import { formOf, passes } from '../frame/form.js';
import { ageOf, mark, rechargeLink, shortId, time } from '../frame/format.js';
import { type Html, html, nothing } from '../frame/html.js';
import { facts, nextLink, table } from '../frame/table.js';
import { wideningTable } from '../rules/waiting.js';
import { amountOf, askedBy, placeOf, ruleFacts } from './subject.js';

export type ApprovalPagesDeps = Readonly<{
  domain: Pick<Domain, 'approvals'>;
  people: ConsoleFrame['people'];
  /** Called with an approved recharge, which may be sent now. */
  onApproved: (recharge: Readonly<{ id: string; provider: string }>) => void;
}>;

export const approvalVerbs = ['approve', 'refuse'] as const;
type ApprovalVerb = (typeof approvalVerbs)[number];

const verbWords: Readonly<Record<ApprovalVerb, string>> = { approve: 'Approve', refuse: 'Refuse' };

const PAGE_ROWS = 50;
const statuses = ['pending', 'approved', 'refused', 'expired'] as const;

/** What waits for a second person, newest first. */
export async function approvalsPage({ domain }: ApprovalPagesDeps, call: PageCall): Promise<ShownPage> {
  const { say, asked, now } = call;
  const status = statuses.find((one) => one === asked('status')) ?? 'pending';
  const { rows, nextId } = await domain.approvals.list({
    ...{ status, limit: PAGE_ROWS },
    beforeId: asked('after') ?? undefined,
  });
  const body = html`<p class="choices">${statuses.map(
    (one) =>
      html`<a href="/approvals?status=${one}" ${one === status ? html`aria-current="true"` : nothing}>${say(one)}</a> `,
  )}</p>
${table<ApprovalView>(
  say('Approvals'),
  [
    {
      head: say('Approval'),
      cell: ({ approvalId }) =>
        html`<a class="id" href="/approvals/${approvalId}" title="${approvalId}">${shortId(approvalId)}</a>`,
    },
    {
      head: say('Amount'),
      cell: amountOf,
      isNumber: true,
    },
    {
      head: say('Account'),
      cell: placeOf,
    },
    { head: say('Asked by'), cell: askedBy },
    { head: say('State'), cell: (one) => mark(one.status, say(one.status)) },
    { head: say('Age'), cell: ({ createdAt }) => ageOf(createdAt, { say, now }), isNumber: true },
    { head: say('Expires'), cell: ({ expiresAt }) => time(expiresAt) },
  ],
  rows,
  say('No approval fits.'),
)}${nextLink(nextId && `/approvals?${new URLSearchParams({ status, after: nextId })}`, say('Older ones'))}`;
  return { title: say('Approvals'), body, isLive: true };
}

/** One approval: its subject, and the decisions of an approver. */
export async function approvalPage({ domain }: ApprovalPagesDeps, call: PageCall): Promise<ShownPage> {
  const one = await found(domain, call);
  if (!one) return noApproval(call);
  const { say } = call;
  const isOpen = one.status === 'pending' && may(call, 'approver');
  const links = approvalVerbs.map(
    (verb) =>
      html`<a class="button" href="/approvals/${one.approvalId}/${verb}">${say(verbWords[verb])}</a> `,
  );
  const body = html`${summary(one, call)}${isOpen ? html`<p class="verbs">${links}</p>` : nothing}`;
  return { title: say('Approval'), body, isLive: true };
}

const found = async (
  domain: ApprovalPagesDeps['domain'],
  { request }: PageCall,
): Promise<ApprovalView | null> => {
  const id = String(request.params.id);
  return isUuid(id) ? domain.approvals.one(id) : null;
};

const noApproval = ({ say }: PageCall): ShownPage => ({
  title: say('Nothing found'),
  status: 404,
  body: html`<p><a href="/approvals">${say('Approvals')}</a></p>`,
});

const summary = (one: ApprovalView, { say }: PageCall): Html => html`<div class="summary">
<p class="headline">${mark(one.status, say(one.status))} ${amountOf(one)} ${placeOf(one)}</p>
${facts([
  [say('Recharge'), one.recharge && rechargeLink(one.recharge.transactionId)],
  [say('Provider'), one.recharge?.provider],
  ...ruleFacts(one, say),
  [say('Payment method'), (one.recharge ?? one.rule)?.paymentMethod],
  [say('To'), (one.recharge ?? one.rule)?.target],
  [say('Asked by'), askedBy(one)],
  [say('Created'), time(one.createdAt)],
  [say('Expires'), time(one.expiresAt)],
  [say('Decided by'), one.decidedBy],
  [say('Reason'), one.reason && (one.decidedBy === null ? filedText(one.reason, say) : one.reason)],
  [say('Bound to'), html`<code>${one.hash}</code>`],
])}
${one.rule && one.rule.widens.length > 0 ? wideningTable(one.rule.widens, one.rule.currency, say) : nothing}
</div>`;

const verbOf = ({ request }: PageCall): ApprovalVerb | undefined =>
  approvalVerbs.find((verb) => verb === request.params.verb);

/** What a decision does, with the form that confirms it. */
export const approvalVerbPage = (deps: ApprovalPagesDeps, call: PageCall): Promise<ShownPage> =>
  decisionPage(deps, call, null);

async function decisionPage(
  { domain }: ApprovalPagesDeps,
  call: PageCall,
  fault: string | null,
): Promise<ShownPage> {
  const one = await found(domain, call);
  const verb = verbOf(call);
  if (!one || !verb) return noApproval(call);
  const { say } = call;
  const consequence = say(consequences[one.kind === 'rule' ? 'rule' : 'recharge'][verb]);
  const address = `/approvals/${one.approvalId}`;
  const form = formOf(
    {
      ...{ action: `${address}/${verb}`, button: say(verbWords[verb]), back: address },
      ...{ stamp: one.hash, fault, isDangerous: true },
    },
    call,
  );
  const end =
    one.status === 'pending'
      ? html`<section class="consequence"><h2>${say('What will happen')}</h2><p>${consequence}</p></section>${form}`
      : html`<p class="alarm" role="alert">${fault ?? say('Nothing was done: it is decided already.')}</p>`;
  const isRefused = fault !== null || one.status !== 'pending';
  return {
    title: say(verbWords[verb]),
    status: isRefused ? 409 : 200,
    body: html`${summary(one, call)}${end}`,
  };
}

const consequences = {
  recharge: {
    approve: 'The recharge is sent to the provider, unless what it is about has changed since.',
    refuse: 'The recharge is canceled, with your reason. Money that is held for it is available again.',
  },
  rule: {
    approve:
      'The version takes the place of the terms in force, unless it or its payee has changed since. A rule that rests acts at once.',
    refuse:
      'The version is dropped, with your reason. The rule goes on by the terms in force, and one that rests goes on resting.',
  },
} as const;

const problemWords: Readonly<Record<ApprovalProblem, string>> = {
  unknown_approval: 'There is no such approval.',
  own_request: 'Nothing was done: the one who asked cannot approve, nor who made or rotated the key.',
  void: 'Nothing was approved: what it is about has changed since, so it is refused.',
  decided: 'Nothing was done: it is decided already.',
};

/** Records the decision once. If another person has already decided, the page says so. */
export async function decideApproval(deps: ApprovalPagesDeps, call: PageCall): Promise<ShownPage | null> {
  const { say, user, sent } = call;
  const one = await found(deps.domain, call);
  const verb = verbOf(call);
  if (!one || !verb) return noApproval(call);
  if (sent('reason') === '') return decisionPage(deps, call, say('A reason is needed.'));
  if (sent('stamp') !== one.hash || one.status !== 'pending')
    return decisionPage(deps, call, say('Nothing was done: it is decided already.'));
  if (!(await passes(deps.people.requireFreshCode, call))) return null;
  const decided = await deps.domain.approvals.decide({
    ...{ approvalId: one.approvalId, verb, reason: sent('reason') },
    ...{ actor: user.name, role: user.role },
  });
  if (!decided.ok) return decisionPage(deps, call, say(problemWords[decided.problem]));
  if (decided.submits) deps.onApproved(decided.submits);
  call.response.redirect(303, `/approvals/${one.approvalId}`);
  return null;
}
