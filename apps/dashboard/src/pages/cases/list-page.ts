import type { CaseView, DeskEntry, DeskFilter, Domain, IsRefunding } from '@replenish/domain';
import { isUuid } from '@replenish/domain';
import { may, type PageCall, type ShownPage } from '../frame/call.js';
import { ageOf, caseLink, kindWords, mark, money, rechargeLink } from '../frame/format.js';
import { type Html, html, trusted } from '../frame/html.js';
import { nextLink, table } from '../frame/table.js';
import { dueOf, untilDue, untouched } from './desk-part.js';
import { questions, verbWords } from './words.js';

export type CasePagesDeps = Readonly<{
  domain: Pick<Domain, 'cases' | 'desk' | 'reads' | 'console'>;
  isRefunding: IsRefunding;
  /** The time from the opening of a case to its due time, unless a person has set another one. */
  casesDueMs: number;
}>;

const PAGE_ROWS = 50;
const SORTED_ROWS = 100;

const orders = ['newest', 'oldest', 'money', 'due'] as const;
type CaseOrder = (typeof orders)[number];
const orderWords: Readonly<Record<CaseOrder, string>> = {
  newest: 'newest',
  oldest: 'oldest',
  money: 'most money',
  due: 'first due',
};

const shares = ['mine', 'unassigned', 'overdue'] as const;
type Share = (typeof shares)[number];
const shareWords: Readonly<Record<Share, string>> = {
  mine: 'mine',
  unassigned: 'unassigned',
  overdue: 'overdue',
};

/** A case with its place on the desk. */
type DeskRow = CaseView & Readonly<{ entry: DeskEntry; due: Date }>;

/** The filters and the order in the address of the list. */
export function listAsk({ asked }: PageCall) {
  const after = asked('after');
  return {
    status: asked('status') === 'closed' ? ('closed' as const) : ('open' as const),
    kind: asked('kind') ?? undefined,
    order: orders.find((one) => one === asked('order')) ?? 'newest',
    share: shares.find((one) => one === asked('desk')),
    beforeId: after !== null && isUuid(after) ? after : undefined,
  };
}

export const deskFilterOf = (
  share: Share | undefined,
  casesDueMs: number,
  me: string,
): DeskFilter | undefined => {
  if (share === undefined) return undefined;
  if (share === 'overdue') return { overdueAfterMs: casesDueMs };
  return { assignee: share === 'mine' ? me : null };
};

/** The open cases: the newest ones, or sorted by age, money or due time. */
export async function casesPage(deps: CasePagesDeps, call: PageCall): Promise<ShownPage> {
  const { domain, isRefunding, casesDueMs } = deps;
  const { say, user } = call;
  const { status, kind, order, share, beforeId } = listAsk(call);
  const limit = order === 'newest' ? PAGE_ROWS : SORTED_ROWS;
  const desk = deskFilterOf(share, casesDueMs, user.name);
  const filter = { viewer: null, status, kind, beforeId, limit, desk };
  const { rows, nextId } = await domain.cases.list(filter, isRefunding);
  const entries = await domain.desk.of(rows.map(({ id }) => id));
  const shown = rows.map((row): DeskRow => {
    const entry = entries.get(row.id) ?? untouched;
    return { ...row, entry, due: dueOf(row, entry, casesDueMs) };
  });
  const here = { status, order, ...(kind !== undefined && { kind }), ...(share && { desk: share }) };
  const address = (more: Record<string, string>): string =>
    `/cases?${new URLSearchParams(Object.entries({ ...here, ...more }).filter(([, value]) => value !== ''))}`;
  const choice = (name: string, value: string, text: string, isNow: boolean): Html =>
    html`<a href="${address({ [name]: value })}" ${isNow ? trusted('aria-current="true"') : ''}>${text}</a> `;
  const body = html`<p class="choices">${choice('status', 'open', say('open'), status === 'open')}${choice('status', 'closed', say('closed'), status === 'closed')}
<span class="note">${say('Desk')}${say(': ')}</span> ${choice('desk', '', say('all'), share === undefined)}${shares.map((one) => choice('desk', one, say(shareWords[one]), one === share))}
<span class="note">${say('Order')}${say(': ')}</span> ${orders.map((one) => choice('order', one, say(orderWords[one]), one === order))}
${kind === undefined ? '' : html`<span class="note">${kindWords(kind, say)}</span> <a href="${address({ kind: '' })}">${say('all kinds')}</a>`}</p>
${caseTable(inOrder(shown, order), call)}
${nextLink(nextId === null ? null : address({ after: nextId }), say('Older ones'))}
${status === 'open' && rows.length > 0 && may(call, 'operator') ? html`<p><a href="${address({ verb: 'dismiss' }).replace('/cases?', '/bulk/new?')}">${say('Close all of these without a change')}</a></p>` : ''}`;
  return { title: say('Cases'), body, isLive: true };
}

/** Only the rows of this page are sorted. The next page has older cases. */
function inOrder(rows: readonly DeskRow[], order: CaseOrder): readonly DeskRow[] {
  if (order === 'oldest') return rows.toReversed();
  if (order === 'due') return rows.toSorted((a, b) => a.due.getTime() - b.due.getTime());
  if (order !== 'money') return rows;
  const minor = (one: CaseView): bigint => one.amountMinor ?? 0n;
  return rows.toSorted((a, b) => (minor(a) < minor(b) ? 1 : minor(a) > minor(b) ? -1 : 0));
}

const caseTable = (rows: readonly DeskRow[], { say, now }: Pick<PageCall, 'say' | 'now'>): Html =>
  table<DeskRow>(
    say('Cases'),
    [
      { head: say('Case'), cell: ({ id }) => caseLink(id) },
      {
        head: say('Question'),
        cell: ({ kind }) => say(questions[kind as keyof typeof questions] ?? kind),
        text: 'long',
      },
      {
        head: say('Money'),
        cell: ({ amountMinor, currency }) =>
          amountMinor !== null && currency !== null ? money(amountMinor, currency) : '',
        isNumber: true,
      },
      {
        head: say('About'),
        cell: ({ transactionId, subject }) =>
          transactionId === null ? subject : rechargeLink(transactionId),
      },
      { head: say('Account'), cell: ({ accountId }) => accountId ?? '' },
      {
        head: say('Age'),
        cell: ({ openedAt, closedAt }) =>
          html`<span title="${openedAt.toISOString()}">${ageOf(openedAt, { say, now: closedAt ?? now })}</span>`,
        isNumber: true,
      },
      { head: say('Assignee'), cell: ({ entry }) => entry.assignee ?? '' },
      {
        head: say('Due'),
        cell: ({ due, closedAt }) =>
          closedAt === null && html`<span title="${due.toISOString()}">${untilDue(due, { say, now })}</span>`,
        text: 'short',
      },
      {
        head: say('Verbs'),
        cell: ({ verbs, resolution }) =>
          resolution
            ? mark('closed', say(resolution.verb ?? 'by later facts'))
            : verbs.map((verb) => say(verbWords[verb])).join(' · '),
      },
    ],
    rows,
    say('No case fits.'),
  );
