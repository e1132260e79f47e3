import { type AgedRisk, EVENTS_COUNTED_MAX, riskAgesS } from '@replenish/domain';
import type { PageCall, ShownPage } from '../frame/call.js';
import { ageOf, kindWords, mark, money, span, time } from '../frame/format.js';
import { type Html, html, nothing, type Shown } from '../frame/html.js';
import { table } from '../frame/table.js';
import type { Say } from '../frame/words.js';
import { breakerTable, poolTable } from '../providers/tables.js';
import { reasonWords } from '../recharges/words.js';
import { chart, outcomes } from './chart.js';
import { type Overview, type OverviewDeps, readOverview } from './read.js';

/** The state of the whole system on one page. Each number links to the list behind it. */
export async function overviewPage(deps: OverviewDeps, call: PageCall): Promise<ShownPage> {
  const seen = await readOverview(deps);
  const { say, now } = call;
  const body = html`${numbers(seen, deps, call)}
<section><h2>${say('Money at risk')}</h2>${riskTable(seen.risks, say)}</section>
<section><h2>${say('Recharges')}</h2>${workPart(seen, call)}</section>
<div class="columns">
<section><h2>${say('Open cases')}</h2>${caseTable(seen, say)}</section>
<section><h2>${say('Circuit breakers')}</h2>${breakerTable(seen.providers.breakers, call)}</section>
<section><h2>${say('Pools')}</h2>${poolTable(seen.providers.pools, call)}</section>
<section><h2>${say('Queues')}</h2>${depthTable(seen, say)}</section>
</div>
<p class="asof">${say('As of')} ${time(now)}</p>`;
  return { title: say('Overview'), body, isLive: true };
}

type Tile = Readonly<{ name: string; value: Shown; href: string; isBad: boolean; note?: Shown }>;

function numbers(seen: Overview, { slaMs }: OverviewDeps, { say, now }: PageCall): Html {
  const { late, cases, providers, backlog, work } = seen;
  const count = (rows: readonly { count: number }[]): number => rows.reduce((sum, row) => sum + row.count, 0);
  const [lateCount, caseCount] = [count(late), count(cases)];
  const events = backlog.count >= EVENTS_COUNTED_MAX ? `${EVENTS_COUNTED_MAX}+` : backlog.count;
  const tiles: Tile[] = [
    {
      name: say('Late'),
      value: lateCount,
      href: `/recharges?waiting=any&older=${Math.round(slaMs / 1_000)}`,
      isBad: lateCount > 0,
      note: say('unfinished after {span}', { span: span(slaMs, say) }),
    },
    { name: say('Open cases'), value: caseCount, href: '/cases', isBad: caseCount > 0 },
    {
      name: say('Open breakers'),
      value: providers.breakers.length,
      href: '/providers',
      isBad: providers.breakers.length > 0,
    },
    {
      name: say('Webhook backlog'),
      value: events,
      href: '/providers#events',
      isBad: backlog.count > 100,
      note: backlog.oldestAt && say('oldest {span}', { span: ageOf(backlog.oldestAt, { say, now }) }),
    },
    {
      name: say('Confirmation'),
      value: work.medianMs === null ? '-' : span(work.medianMs, say),
      href: '/recharges?status=SUCCEEDED',
      isBad: false,
      note: work.p95Ms === null ? null : say('95 % within {span}', { span: span(work.p95Ms, say) }),
    },
  ];
  return html`<ul class="tiles">${tiles.map(
    ({ name, value, href, isBad, note }) =>
      html`<li class="${isBad ? 'bad' : 'good'}"><a href="${href}"><span class="name">${name}</span> <strong>${value}</strong> ${note ? html`<span class="note">${note}</span>` : nothing}</a></li>`,
  )}</ul>`;
}

const ageWords: Record<number, string> = {
  0: 'under 1 min',
  60: '1 to 10 min',
  600: '10 to 60 min',
  3600: '1 to 24 h',
  86400: 'over 24 h',
};

type RiskRow = Readonly<{ reason: string; currency: string; cells: ReadonlyMap<number, AgedRisk> }>;

function riskTable(risks: readonly AgedRisk[], say: Say): Html {
  const rows = new Map<string, { reason: string; currency: string; cells: Map<number, AgedRisk> }>();
  for (const risk of risks) {
    const key = `${risk.reason} ${risk.currency}`;
    const row = rows.get(key) ?? { reason: risk.reason, currency: risk.currency, cells: new Map() };
    row.cells.set(risk.ageS, risk);
    rows.set(key, row);
  }
  const cell = (row: RiskRow, ageS: number): Shown => {
    const risk = row.cells.get(ageS);
    if (!risk) return html`<span class="none">-</span>`;
    const younger = riskAgesS.find((age) => age > ageS);
    const href = `/recharges?waiting=${row.reason}&currency=${row.currency}&older=${ageS}${younger === undefined ? '' : `&younger=${younger}`}`;

    return html`<a href="${href}">${money(risk.amountMinor, row.currency)}<span class="count"> · ${risk.count}</span></a>`;
  };
  return table<RiskRow>(
    say('Money at risk by reason and age'),
    [
      {
        head: say('Waits for'),
        cell: ({ reason, currency }) =>
          html`<a href="/recharges?waiting=${reason}&currency=${currency}" title="${reason}">${say(reasonWords[reason] ?? reason)}</a> <span class="note">${currency}</span>`,
      },
      ...riskAgesS.map((ageS) => ({
        head: say(ageWords[ageS]!),
        cell: (row: RiskRow) => cell(row, ageS),
        isNumber: true,
      })),
    ],
    [...rows.values()],
    say('Nothing is unfinished.'),
  );
}

function workPart({ work }: Overview, { say, now }: PageCall): Html {
  if (work.count === 0) return html`<p class="empty">${say('No recharge in the last 24 hours.')}</p>`;
  const stateOf = { succeeded: 'SUCCEEDED', open: 'OPEN', failed: 'FAILED', canceled: 'CANCELED' } as const;
  const sums = outcomes.map((outcome) => ({
    outcome,
    count: work.spans.reduce((sum, one) => (isOf(one.state, outcome) ? sum + one.count : sum), 0),
  }));
  const hours = Math.max((now.getTime() - (work.since ?? now).getTime()) / 3_600_000, 1 / 60);
  return html`<div class="wide" tabindex="0" role="region" aria-label="${say('Recharges over time by outcome')}">${chart(work, now, say)}</div>
<ul class="legend">${sums.map(({ outcome, count }) => html`<li class="${outcome}"><a href="/recharges?status=${stateOf[outcome]}">${say(outcome)} ${count}</a> <span class="note">${say('{n} an hour', { n: (count / hours).toFixed(count > 0 && count / hours < 10 ? 1 : 0) })}</span></li>`)}</ul>
<p class="note">${say('The newest {n} recharges, since {time} UTC. Each bar is {span}.', { n: work.count, time: work.since?.toISOString().slice(0, 16).replace('T', ' ') ?? '-', span: span(work.spanS * 1_000, say) })}</p>`;
}

const isOf = (state: string, outcome: string): boolean =>
  outcome === 'open'
    ? ['CREATED', 'SUBMITTED', 'PENDING_CONFIRMATION'].includes(state)
    : state.toLowerCase() === outcome;

const caseTable = ({ cases }: Overview, say: Say): Html =>
  table(
    say('Open cases by kind'),
    [
      {
        head: say('Kind'),
        cell: ({ kind }) => html`<a href="/cases?kind=${kind}">${kindWords(kind, say)}</a>`,
      },
      { head: say('Open'), cell: ({ count }) => count, isNumber: true },
    ],
    [...cases].sort((a, b) => b.count - a.count),
    say('No case is open.'),
  );

function depthTable({ depth }: Overview, say: Say): Html {
  if (depth === null)
    return html`<p class="alarm" role="status">${say('The store of the queues does not answer.')}</p>`;
  const names = [...new Set(depth.map(({ queue }) => queue))];
  const of = (queue: string, state: string): number =>
    depth.find((one) => one.queue === queue && one.state === state)?.count ?? 0;
  return table(
    say('Jobs in queues'),
    [
      { head: say('Queue'), cell: (queue) => html`<a href="/queues/queue/${queue}">${queue}</a>` },
      { head: say('waiting'), cell: (queue) => of(queue, 'waiting'), isNumber: true },
      { head: say('delayed'), cell: (queue) => of(queue, 'delayed'), isNumber: true },
      {
        head: say('failed'),
        cell: (queue) => (of(queue, 'failed') > 0 ? mark('failed', String(of(queue, 'failed'))) : 0),
        isNumber: true,
      },
    ],
    names,
    say('There is no queue.'),
  );
}
