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

/** A length of time in the largest unit that fits, and the next one: `3 min 5 s`. */
export function span(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  const s = Math.floor(ms / 1_000);
  if (s < 60) return s < 10 ? `${(ms / 1_000).toFixed(1)} s` : `${s} s`;
  if (s < 3_600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86_400) return `${Math.floor(s / 3_600)} h ${Math.floor((s % 3_600) / 60)} min`;
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3_600)} h`;
}

export const ageOf = (at: Date, now: Date): string => span(now.getTime() - at.getTime());

/** The end of an id tells rows apart, since the beginnings of ids are times. */
export const shortId = (id: string): string => `…${id.slice(-12)}`;

export const rechargeLink = (id: string): Html =>
  html`<a class="id" href="/recharges/${id}" title="${id}">${shortId(id)}</a>`;

export const caseLink = (id: string): Html =>
  html`<a class="id" href="/cases/${id}" title="${id}">${shortId(id)}</a>`;

export const accountLink = (accountId: string): Html =>
  html`<a href="/accounts/${encodeURIComponent(accountId)}">${accountId}</a>`;

/** A mark whose colour follows from the word. The word itself is always there, so colour alone says nothing. */
export const mark = (word: string, text = word): Html =>
  html`<span class="mark ${word.toLowerCase().replace(/[^a-z_]/g, '')}">${text}</span>`;

export const plural = (say: Say, count: number, words: string): string => say(words, { n: count });
