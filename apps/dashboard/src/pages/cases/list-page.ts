import type { CaseView, Domain, IsRefunding } from '@replenish/domain';
import { isUuid } from '@replenish/domain';
import type { PageCall, ShownPage } from '../frame/call.js';
import { ageOf, caseLink, kindWords, mark, money, rechargeLink, time } from '../frame/format.js';
import { type Html, html, trusted } from '../frame/html.js';
import { nextLink, table } from '../frame/table.js';
import { questions, verbWords } from './words.js';

export type CasePagesDeps = Readonly<{
  domain: Pick<Domain, 'cases' | 'reads' | 'console'>;
  isRefunding: IsRefunding;
}>;

const PAGE_ROWS = 50;
const SORTED_ROWS = 100;

/** The questions that wait for a person: the newest, by age or by money. */
export async function casesPage({ domain, isRefunding }: CasePagesDeps, call: PageCall): Promise<ShownPage> {
  const { say, asked, now } = call;
  const status = asked('status') === 'closed' ? 'closed' : 'open';
  const kind = asked('kind') ?? undefined;
  const order = asked('order') === 'money' || asked('order') === 'oldest' ? asked('order')! : 'newest';
  const after = asked('after');
  const beforeId = after !== null && isUuid(after) ? after : undefined;
  const limit = order === 'newest' ? PAGE_ROWS : SORTED_ROWS;
  const { rows, nextId } = await domain.cases.list(
    { viewer: null, status, kind, beforeId, limit },
    isRefunding,
  );
  const here = { status, order, ...(kind !== undefined && { kind }) };
  const address = (more: Record<string, string>): string =>
    `/cases?${new URLSearchParams({ ...here, ...more })}`;
  const choice = (name: string, value: string, text: string, isNow: boolean): Html =>
    html`<a href="${address({ [name]: value })}" ${isNow ? trusted('aria-current="true"') : ''}>${text}</a> `;
  const body = html`<p class="choices">${choice('status', 'open', say('open'), status === 'open')}${choice('status', 'closed', say('closed'), status === 'closed')}
<span class="note">${say('Order')}:</span> ${choice('order', 'newest', say('newest'), order === 'newest')}${choice('order', 'oldest', say('oldest'), order === 'oldest')}${choice('order', 'money', say('most money'), order === 'money')}
${kind === undefined ? '' : html`<span class="note">${kindWords(kind, say)}</span> <a href="/cases?status=${status}">${say('all kinds')}</a>`}</p>
${caseTable(inOrder(rows, order), { say, now })}
${nextLink(nextId === null ? null : address({ after: nextId }), say('Older ones'))}`;
  return { title: say('Cases'), body, isLive: true };
}

/** A page is put in order by itself: the next page begins with older cases. */
function inOrder(rows: readonly CaseView[], order: string): readonly CaseView[] {
  if (order === 'oldest') return rows.toReversed();
  if (order !== 'money') return rows;
  const minor = (one: CaseView): bigint => one.amountMinor ?? 0n;
  return rows.toSorted((a, b) => (minor(a) < minor(b) ? 1 : minor(a) > minor(b) ? -1 : 0));
}

const caseTable = (rows: readonly CaseView[], { say, now }: Pick<PageCall, 'say' | 'now'>): Html =>
  table<CaseView>(
    say('Cases'),
    [
      { head: say('Case'), cell: ({ id }) => caseLink(id) },
      { head: say('Question'), cell: ({ kind }) => say(questions[kind as keyof typeof questions] ?? kind) },
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
      { head: say('Opened'), cell: ({ openedAt }) => time(openedAt) },
      {
        head: say('Age'),
        cell: ({ openedAt, closedAt }) => ageOf(openedAt, closedAt ?? now),
        isNumber: true,
      },
      {
        head: say('Verbs'),
        cell: ({ verbs, resolution }) =>
          resolution
            ? mark('closed', resolution.verb ?? say('by later facts'))
            : verbs.map((verb) => say(verbWords[verb])).join(' · '),
      },
    ],
    rows,
    say('No case fits.'),
  );
