import type { FiledDecision } from '@replenish/domain';
import { moneyText } from '../frame/format.js';
import { type Html, html, nothing } from '../frame/html.js';
import type { Say } from '../frame/words.js';

const WIDTH = 720;
const HEIGHT = 120;
const BARS_MAX = 48;

const ZERO = 0n;
const above = (amountMinor: bigint | null): bigint =>
  amountMinor !== null && amountMinor > ZERO ? amountMinor : ZERO;

/** The amount that a look recharged. An amount that was held back does not count. */
export const rechargedMinor = ({ decided, amountMinor }: FiledDecision): bigint =>
  decided === 'recharge' ? above(amountMinor) : ZERO;

/**
 * The balance at each of the newest looks, with what was recharged on top, drawn by the server. The table below it has
 * the same numbers for those who do not see them.
 * @param newestFirst decisions as they are listed
 */
export function decisionChart(
  newestFirst: readonly FiledDecision[],
  { belowMinor, currency }: Readonly<{ belowMinor: bigint; currency: string }>,
  say: Say,
): Html {
  const looks = newestFirst.slice(0, BARS_MAX).toReversed();
  if (looks.length === 0) return nothing;
  const sums = looks.map((look) => above(look.balanceMinor) + rechargedMinor(look));
  const most = [belowMinor, ...sums].reduce((a, b) => (a > b ? a : b), 1n);
  const heightOf = (minor: bigint): number => (Number(minor) / Number(most)) * (HEIGHT - 12);
  const step = WIDTH / BARS_MAX;
  const line = (HEIGHT - heightOf(belowMinor)).toFixed(1);
  return html`<div class="wide" tabindex="0" role="region" aria-label="${say('Chart')}"><svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT + 18}" role="img" aria-label="${say('Balance and recharges at the newest looks')}">
${looks.map((look, n) => bar(look, { x: n * step + 1, width: step - 2, heightOf, currency, say }))}
<line class="axis" x1="0" y1="${line}" x2="${WIDTH}" y2="${line}"></line>
<line class="axis" x1="0" y1="${HEIGHT}" x2="${WIDTH}" y2="${HEIGHT}"></line>
${looks.map((look, n) => (n % 8 === 0 ? html`<text x="${n * step + 1}" y="${HEIGHT + 14}">${look.at.toISOString().slice(5, 16).replace('T', ' ')}</text>` : nothing))}
<text class="most" x="${WIDTH}" y="10">${moneyText(most, currency)}</text>
</svg></div>
<ul class="legend"><li class="open">${say('Balance')}</li><li class="succeeded">${say('Recharge')}</li></ul>`;
}

type BarPlace = Readonly<{
  x: number;
  width: number;
  heightOf: (minor: bigint) => number;
  currency: string;
  say: Say;
}>;

function bar(look: FiledDecision, { x, width, heightOf, currency, say }: BarPlace): Html {
  const recharged = rechargedMinor(look);
  const balance = heightOf(above(look.balanceMinor));
  const top = heightOf(recharged);
  const known = look.balanceMinor === null ? '?' : moneyText(look.balanceMinor, currency);
  const words = `${look.at.toISOString().slice(0, 16).replace('T', ' ')}${say(': ')}${say('Balance')} ${known}${recharged === ZERO ? '' : `${say(', ')}${say('Recharge')} ${moneyText(recharged, currency)}`}`;
  const rect = (name: string, y: number, height: number): Html =>
    height === 0
      ? nothing
      : html`<rect class="${name}" x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${width.toFixed(1)}" height="${height.toFixed(1)}"></rect>`;
  return html`<g><title>${words}</title>${rect('open', HEIGHT - balance, balance)}${rect('succeeded', HEIGHT - balance - top, top)}</g>`;
}
