import type { RecentWork, State } from '@replenish/domain';
import { type Html, html, nothing } from '../frame/html.js';
import type { Say } from '../frame/words.js';

/** The groups of states that the chart shows, from the bottom up. */
export const outcomes = ['succeeded', 'open', 'failed', 'canceled'] as const;
export type ChartOutcome = (typeof outcomes)[number];

const outcomeOf: Record<State, ChartOutcome> = {
  CREATED: 'open',
  SUBMITTED: 'open',
  PENDING_CONFIRMATION: 'open',
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
  CANCELED: 'canceled',
};

const BARS = 24;
const WIDTH = 720;
const HEIGHT = 120;

type Bar = Readonly<{ at: Date; counts: Record<ChartOutcome, number>; total: number }>;

/** The spans of the chart up to now. A span without recharges is an empty bar, so gaps are seen. */
export function barsOf({ spans, spanS }: RecentWork, now: Date): Bar[] {
  const last = Math.floor(now.getTime() / 1_000 / spanS);
  return Array.from({ length: BARS }, (_, n) => {
    const at = new Date((last - BARS + 1 + n) * spanS * 1_000);
    const here = spans.filter((one) => one.at.getTime() === at.getTime());
    const counts = { succeeded: 0, open: 0, failed: 0, canceled: 0 };
    for (const { state, count } of here) counts[outcomeOf[state]] += count;
    return { at, counts, total: here.reduce((sum, { count }) => sum + count, 0) };
  });
}

/** Stacked bars, drawn by the server. The table below them has the same numbers for those who do not see them. */
export function chart(work: RecentWork, now: Date, say: Say): Html {
  const bars = barsOf(work, now);
  const most = Math.max(1, ...bars.map(({ total }) => total));
  const step = WIDTH / BARS;
  return html`<svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT + 18}" role="img" aria-label="${say('Recharges over time by outcome')}">
${bars.map((bar, n) => html`<g><title>${bar.at.toISOString().slice(11, 16)}${say(': ')}${titleOf(bar, say)}</title>${pieces(bar, { x: n * step + 2, width: step - 4, most })}</g>`)}
<line class="axis" x1="0" y1="${HEIGHT}" x2="${WIDTH}" y2="${HEIGHT}"></line>
${bars.map((bar, n) => (n % 4 === 0 ? html`<text x="${n * step + 2}" y="${HEIGHT + 14}">${bar.at.toISOString().slice(11, 16)}</text>` : nothing))}
<text class="most" x="${WIDTH}" y="10">${most}</text>
</svg>`;
}

const titleOf = ({ counts }: Bar, say: Say): string =>
  outcomes
    .filter((outcome) => counts[outcome] > 0)
    .map((outcome) => `${counts[outcome]} ${say(outcome)}`)
    .join(say(', ')) || '0';

function pieces(bar: Bar, { x, width, most }: { x: number; width: number; most: number }): Html[] {
  let top = HEIGHT;
  return outcomes.map((outcome) => {
    const height = (bar.counts[outcome] / most) * (HEIGHT - 12);
    top -= height;
    return height === 0
      ? nothing
      : html`<rect class="${outcome}" x="${x.toFixed(1)}" y="${top.toFixed(1)}" width="${width.toFixed(1)}" height="${height.toFixed(1)}"></rect>`;
  });
}
