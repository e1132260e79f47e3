import { type BulkItem, type BulkView, type Domain, isUuid } from '@replenish/domain';
import { may, type PageCall, type ShownPage } from '../frame/call.js';
import { caseLink, mark, money, rechargeLink, shortId, time } from '../frame/format.js';
import { type Html, html, nothing } from '../frame/html.js';
import { facts, nextLink, table } from '../frame/table.js';
import {
  doOfferedVerb,
  nothingFound,
  type OfferedVerb,
  type OfferedVerbDeps,
  offeredVerbPage,
} from '../frame/verb.js';
import type { Say } from '../frame/words.js';
import { bulkTitles, outcomeWords, statusWords, sumTable } from './words.js';

export type BulkDeps = OfferedVerbDeps & Readonly<{ domain: Pick<Domain, 'bulks'> }>;

const PAGE_ROWS = 50;

/** The bulk verbs that were prepared or carried out, newest first. */
export async function bulksPage({ domain }: BulkDeps, { say, asked }: PageCall): Promise<ShownPage> {
  const rows = await domain.bulks.list(asked('after'), PAGE_ROWS + 1);
  const shown = rows.slice(0, PAGE_ROWS);
  const body = html`${table<BulkView>(
    say('Bulk verbs'),
    [
      {
        head: say('Bulk verb'),
        cell: ({ id }) => html`<a class="id" href="/bulk/${id}" title="${id}">${shortId(id)}</a>`,
      },
      { head: say('Verb'), cell: ({ verb }) => say(bulkTitles[verb]) },
      { head: say('State'), cell: ({ status }) => statusMark(status, say) },
      { head: say('Done'), cell: ({ items, done }) => `${done} / ${items}`, isNumber: true },
      { head: say('By'), cell: ({ actor }) => actor },
      { head: say('Reason'), cell: ({ reason }) => reason },
      { head: say('Created'), cell: ({ createdAt }) => time(createdAt) },
    ],
    shown,
    say('None yet. The lists of recharges and cases make them.'),
  )}${nextLink(rows.length > PAGE_ROWS ? `/bulk?after=${shown.at(-1)!.id}` : null, say('Older ones'))}`;
  return { title: say('Bulk verbs'), body, isLive: true };
}

const statusMark = (status: BulkView['status'], say: Say): Html =>
  mark(status === 'finished' ? 'closed' : status === 'running' ? 'open' : status, say(statusWords[status]));

/** One bulk verb: its list, its progress, and the outcome of each item. */
export async function bulkPage({ domain }: BulkDeps, call: PageCall): Promise<ShownPage> {
  const { say, request } = call;
  const id = String(request.params.id);
  const [found, items] = await Promise.all([domain.bulks.one(id), domain.bulks.items(id)]);
  if (!found) return nothingFound(call);
  const { bulk, sums } = found;
  const button = (verb: BulkChange): Html =>
    html`<a class="button" href="/bulk/${id}/${verb}">${say(changeWords[verb])}</a> `;
  const body = html`${summaryOf(bulk, call)}
<section><h2>${say('How much money it is about')}</h2>${sumTable(sums, say)}</section>
${may(call, 'operator') ? html`<p class="verbs">${bulkChanges.filter((verb) => offers(bulk, verb)).map(button)}</p>` : nothing}
<section><h2>${say('Items')}</h2>${itemTable(bulk, items, say)}</section>`;
  return { title: say(bulkTitles[bulk.verb]), body, isLive: bulk.status === 'running' };
}

const summaryOf = (bulk: BulkView, { say }: Pick<PageCall, 'say'>): Html => html`<div class="summary">
<p class="headline">${statusMark(bulk.status, say)} ${say('{done} of {items} done', { done: bulk.done, items: bulk.items })}</p>
<progress max="${bulk.items}" value="${bulk.done}" aria-label="${say('Done')}"></progress>
${facts([
  [say('Reason'), bulk.reason],
  [say('By'), bulk.actor],
  [say('From the list'), html`<a href="${bulk.filter}">${bulk.filter}</a>`],
  [say('Created'), time(bulk.createdAt)],
  [say('Ended'), bulk.endedAt && time(bulk.endedAt)],
])}
${bulk.isCut ? html`<p class="note">${say('More of the list may have fitted than was taken at once.')}</p>` : nothing}
</div>`;

const itemTable = ({ verb }: BulkView, items: readonly BulkItem[], say: Say): Html =>
  table<BulkItem>(
    say('Items'),
    [
      {
        head: verb === 'recheck' ? say('Recharge') : say('Case'),
        cell: ({ subject }) => (verb === 'recheck' ? rechargeLink(subject) : caseLink(subject)),
      },
      {
        head: say('Money'),
        cell: ({ amountMinor, currency }) =>
          amountMinor !== null && currency !== null ? money(amountMinor, currency) : '',
        isNumber: true,
      },
      {
        head: say('Outcome'),
        cell: ({ outcome }) => (outcome === null ? '' : say(outcomeWords[outcome] ?? outcome)),
      },
      { head: say('At'), cell: ({ doneAt }) => (doneAt === null ? '' : time(doneAt)) },
    ],
    items,
    '',
  );

export const bulkChanges = ['start', 'stop'] as const;
export type BulkChange = (typeof bulkChanges)[number];

const changeWords: Readonly<Record<BulkChange, string>> = { start: 'Start it', stop: 'Stop it' };

const offers = ({ status }: BulkView, verb: BulkChange): boolean =>
  verb === 'start' ? status === 'draft' : status === 'draft' || status === 'running';

async function offeredOf(
  { domain }: BulkDeps,
  call: PageCall,
  verb: BulkChange,
): Promise<OfferedVerb | null> {
  const { say, request, user } = call;
  const id = String(request.params.id);
  const found = isUuid(id) ? await domain.bulks.one(id) : null;
  if (!found) return null;
  const { bulk, sums } = found;
  const late = say('Nothing was done: it is not in that state any more.');
  return {
    ...{ title: say(changeWords[verb]), action: `/bulk/${id}/${verb}`, back: `/bulk/${id}` },
    about: html`<p class="headline">${statusMark(bulk.status, say)} ${say(bulkTitles[bulk.verb])}</p>${sumTable(sums, say)}`,
    consequences: consequencesOf(bulk, verb, say),
    stamp: bulk.status,
    obstacle: offers(bulk, verb) ? null : late,
    isDangerous: verb === 'start',
    filed: { verb: `bulk_${verb}`, subject: `bulk ${bulk.verb} ${id}` },
    carryOut: async () => {
      const by = { actor: user.name, role: user.role };
      const isDone = verb === 'start' ? await domain.bulks.start(id, by) : await domain.bulks.stop(id);
      return isDone ? null : late;
    },
  };
}

function consequencesOf({ verb, items }: BulkView, change: BulkChange, say: Say): string[] {
  if (change === 'stop')
    return [say('What was done stays done. Nothing more is done, and it cannot be started again.')];
  return [
    verb === 'recheck'
      ? say('Recharges that the providers are asked about: {n}. No money moves by that.', { n: items })
      : say(
          'Cases that are closed, with your name and the reason of the list: {n}. No money moves by that.',
          {
            n: items,
          },
        ),
    say('Each is looked at again at its turn: what has changed meanwhile is left as it is.'),
  ];
}

export const bulkChangePage = (deps: BulkDeps, call: PageCall, verb: BulkChange): Promise<ShownPage> =>
  offeredVerbPage(() => offeredOf(deps, call, verb), call);

export const changeBulk = (deps: BulkDeps, call: PageCall, verb: BulkChange): Promise<ShownPage | null> =>
  doOfferedVerb(deps, () => offeredOf(deps, call, verb), call);
