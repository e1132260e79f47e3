import { majorFromMinor } from '@replenish/domain';
import { exponentOf } from '@replenish/domain/rules';
import { type Html, html } from './html.js';
import type { Say } from './words.js';

/** An amount in major units with its currency. Minor units are in the title. */
export function money(amountMinor: bigint, currency: string): Html {
  return html`<span class="money" title="${amountMinor.toString()} ${currency}">${moneyText(amountMinor, currency)}</span>`;
}

export function moneyText(amountMinor: bigint, currency: string): string {
  const exponent = exponentOf(currency);
  if (exponent === null || exponent === undefined) return `${amountMinor} ${currency}`;
  const [whole = '', decimals] = majorFromMinor(amountMinor, exponent).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return `${grouped}${decimals === undefined ? '' : `.${decimals}`} ${currency}`;
}

/** A time in UTC. Seconds are enough on a page; the title has the rest. */
export function time(at: Date | string | null): Html {
  if (at === null) return html`<span class="none">-</span>`;
  const iso = (typeof at === 'string' ? new Date(at) : at).toISOString();
  return html`<time datetime="${iso}" title="${iso}">${iso.slice(0, 19).replace('T', ' ')}</time>`;
}

/** A length of time in the largest unit that fits, and the next one unless it is zero: `3 min 5 s`, `2 h`. */
export function span(ms: number, say: Say): string {
  if (ms < 1_000) return inUnit('ms', Math.max(0, Math.round(ms)), say);
  const s = Math.floor(ms / 1_000);
  if (s < 10) return inUnit('s', (ms / 1_000).toFixed(1), say);
  if (s < 60) return inUnit('s', s, say);
  const [unit, next] =
    s < 3_600 ? (['min', 's'] as const) : s < 86_400 ? (['h', 'min'] as const) : (['d', 'h'] as const);
  const whole = inUnit(unit, Math.floor(s / seconds[unit]), say);
  const rest = Math.floor((s % seconds[unit]) / seconds[next]);
  return rest === 0 ? whole : `${whole} ${inUnit(next, rest, say)}`;
}

const seconds = { s: 1, min: 60, h: 3_600, d: 86_400 } as const;

/** A number of one unit of time, as it is: `5 s`. */
export const inUnit = (unit: 'ms' | keyof typeof seconds, n: number | string, say: Say): string =>
  say(`{n} ${unit}`, { n });

/** The name of a kind of case in words: `late money`. */
export const kindWords = (kind: string, say: Say): string => {
  const words = say(kind);
  return words === kind ? kind.replaceAll('_', ' ') : words;
};

export const ageOf = (at: Date, { say, now }: Readonly<{ say: Say; now: Date }>): string =>
  span(now.getTime() - at.getTime(), say);

/** The end of an id. It tells rows apart, because ids begin with a time. */
export const shortId = (id: string): string => `…${id.slice(-12)}`;

export const rechargeLink = (id: string): Html =>
  html`<a class="id" href="/recharges/${id}" title="${id}">${shortId(id)}</a>`;

export const caseLink = (id: string): Html =>
  html`<a class="id" href="/cases/${id}" title="${id}">${shortId(id)}</a>`;

export const accountLink = (accountId: string): Html =>
  html`<a href="/accounts/${encodeURIComponent(accountId)}">${accountId}</a>`;

/** The slot of a journal in words, with its number from the second one on. */
export const slotWords = (slot: string, say: Say): string => {
  const [, name = slot, n] = /^(.*?)(?:_(\d+))?$/.exec(slot) ?? [];
  return n === undefined || say(name) === name ? say(slot) : `${say(name)} ${n}`;
};

/** A mark whose colour follows from the word. The word itself is always shown, so no meaning is in the colour alone. */
export const mark = (word: string, text = word): Html =>
  html`<span class="mark ${word.toLowerCase().replace(/[^a-z_]/g, '')}">${text}</span>`;

/** A mark of a code of the books: a state or a verdict. */
export const codeMark = (code: string, say: Say): Html => mark(code, say(code));

/** The words for the outcome of a call or the status of an order. `pending` means something else for approvals. */
export const outcomeText = (outcome: string, say: Say): string =>
  say(outcome === 'pending' ? 'payment under way' : outcome);

export const outcomeMark = (outcome: string, say: Say): Html => mark(outcome, outcomeText(outcome, say));
