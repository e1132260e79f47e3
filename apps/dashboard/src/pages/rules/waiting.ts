import type { RuleView, Widening } from '@replenish/domain';
import type { PageCall } from '../frame/call.js';
import { money, time } from '../frame/format.js';
import { type Html, html, nothing } from '../frame/html.js';
import { table } from '../frame/table.js';
import { figureWords, modeWords } from './words.js';

/** The version of a rule that waits for a second person, and what it changes. */
export function waitingPart({ waiting, status, currency }: RuleView, { say }: PageCall): Html {
  if (waiting === null) return nothing;
  const { approvalId, widens, until } = waiting;
  const words =
    status === 'active'
      ? say('A version waits for a second person. Until then the rule goes on by the terms in force.')
      : say('A version waits for a second person. Until then the rule does not act.');
  return html`<section id="waiting"><p class="alarm" role="status">${words} <a href="/approvals/${approvalId}">${say('Approval')}</a> · ${say('Expires')} ${time(until)}</p>
${widens.length === 0 ? nothing : wideningTable(widens, currency, say)}</section>`;
}

/** The fields in which a version charges more, oftener or elsewhere than the terms in force. */
export const wideningTable = (widens: readonly Widening[], currency: string, say: PageCall['say']): Html =>
  table<Widening>(
    say('Beyond the terms in force'),
    [
      { head: say('Field'), cell: ({ field }) => html`<code>${field}</code>` },
      { head: say('In force'), cell: ({ field, before }) => shownValue(field, before, currency, say) },
      { head: say('Asked for'), cell: ({ field, after }) => shownValue(field, after, currency, say) },
    ],
    widens,
    '',
  );

const amountFields = ['below', 'recharge', 'canary', 'caps.perRecharge', 'caps.perDay', 'caps.perMonth'];

/** The words for the values of fields that have codes. */
const valueWords: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  balance: figureWords,
  mode: modeWords,
};

/** A value in words or as its text, and an amount as money. A recharge says `up to` before an amount that it fills up to. */
function shownValue(
  field: string,
  text: string | null,
  currency: string,
  say: PageCall['say'],
): Html | string {
  const [, upTo, minor] = (amountFields.includes(field) && /^(up to )?(\d+)$/.exec(text ?? '')) || [];
  if (minor === undefined) return text === null ? '-' : say(valueWords[field]?.[text] ?? text);
  return html`${upTo === undefined ? nothing : `${say('up to')} `}${money(BigInt(minor), currency)}`;
}
