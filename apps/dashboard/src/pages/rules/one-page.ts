import { type FiledDecision, isUuid, type RuleView } from '@replenish/domain';
import { may, type PageCall, type ShownPage } from '../frame/call.js';
import { accountLink, mark, money, rechargeLink, time } from '../frame/format.js';
import { type Html, html, nothing } from '../frame/html.js';
import { facts, nextLink, table } from '../frame/table.js';
import { nothingFound } from '../frame/verb.js';
import { decisionChart } from './chart.js';
import { type RulePagesDeps, ruleState } from './list-page.js';
import { verbsOfRule, verbWords } from './verbs.js';
import { waitingPart } from './waiting.js';
import { becauseWords, decidedWords, figureWords, modeWords, watchWords } from './words.js';

const PAGE_ROWS = 50;

/** One rule: its terms, its forecast, and what it decided at its newest looks. */
export async function rulePage({ domain }: RulePagesDeps, call: PageCall): Promise<ShownPage> {
  const { say, asked, request } = call;
  const id = String(request.params.id);
  const rule = isUuid(id) ? await domain.rules.one(id, null) : null;
  if (!rule) return nothingFound(call);
  const before = asked('before');
  const beforeSeq = before !== null && /^\d{1,9}$/.test(before) ? Number(before) : null;
  const { rows, nextSeq } = await domain.rules.decisions(rule.id, { beforeSeq, limit: PAGE_ROWS });
  const { currency, terms } = rule;
  const body = html`${ruleSummary(rule, call)}
${waitingPart(rule, call)}
${verbsPart(rule, call)}
<section id="decisions"><h2>${say('Decisions')}</h2>${decisionChart(rows, { belowMinor: terms.belowMinor, currency }, say)}
${decisionTable(rows, rule, call)}${nextLink(nextSeq === null ? null : `/rules/${rule.id}?before=${nextSeq}#decisions`, say('Older ones'))}</section>`;
  return { title: `${say('Rule')} ${rule.id.slice(-12)}`, body, isLive: beforeSeq === null };
}

/** The current terms and state of a rule. */
export function ruleSummary(rule: RuleView, { say }: PageCall): Html {
  const { terms, forecast, consent, currency } = rule;
  const { caps, recharge, quietHours } = terms;
  const sum = (minor: bigint): Html => money(minor, currency);
  return html`<div class="summary">
<p class="headline">${ruleState(rule, say)} ${accountLink(rule.accountId)}</p>
${rule.isStopped ? html`<p class="alarm" role="status">${say('All rules are stopped')}</p>` : nothing}
${facts([
  [say('Id'), html`<code class="id">${rule.id}</code>`],
  [say('Client'), html`<code class="id">${rule.clientId}</code>`],
  [say('Key'), html`<code>${rule.keyId}</code>`],
  [say('Watches'), say(watchWords[rule.watch])],
  [say('Compares'), say(figureWords[terms.balance])],
  [say('Below'), sum(terms.belowMinor)],
  [say('Does'), say(modeWords[terms.mode])],
  [
    say('Amount'),
    'amountMinor' in recharge ? sum(recharge.amountMinor) : html`${say('up to')} ${sum(recharge.upToMinor)}`,
  ],
  [say('Payment method'), rule.recharge.paymentMethod],
  [say('Most per recharge'), sum(caps.perRechargeMinor)],
  [say('Most per day'), sum(caps.perDayMinor)],
  [say('Most per month'), sum(caps.perMonthMinor)],
  [say('Quiet hours'), quietHours && `${quietHours.from}-${quietHours.to} ${terms.timeZone}`],
  [say('Expires'), terms.expiresAt && time(terms.expiresAt)],
  [
    say('Balance'),
    forecast.balanceMinor !== null && html`${sum(forecast.balanceMinor)} · ${time(forecast.asOf)}`,
  ],
  [say('Used per day'), forecast.burnPerDayMinor !== null && sum(forecast.burnPerDayMinor)],
  [say('Used up'), forecast.runsOutAt && time(forecast.runsOutAt)],
  [say('Agreed by'), html`${consent.actor} · ${time(consent.at)}`],
  [say('Created'), time(rule.createdAt)],
])}
</div>`;
}

function verbsPart(rule: RuleView, call: PageCall): Html {
  if (!may(call, 'operator')) return nothing;
  const links = verbsOfRule(rule).map(
    (verb) => html`<a class="button" href="/rules/${rule.id}/${verb}">${call.say(verbWords[verb])}</a> `,
  );
  return links.length === 0 ? nothing : html`<p class="verbs">${links}</p>`;
}

/** The cash in the balance, whichever figure was compared. */
const cashCell =
  (currency: string) =>
  ({ numbers: { cash } }: FiledDecision): Html | string =>
    typeof cash === 'string' ? money(BigInt(cash), currency) : '-';

const decisionTable = (
  rows: readonly FiledDecision[],
  { currency, watch }: Pick<RuleView, 'currency' | 'watch'>,
  { say }: PageCall,
): Html =>
  table<FiledDecision>(
    say('Decisions'),
    [
      { head: say('At'), cell: ({ at }) => time(at) },
      {
        head: say('Balance'),
        cell: ({ balanceMinor }) => (balanceMinor === null ? '-' : money(balanceMinor, currency)),
        isNumber: true,
      },
      ...(watch === 'cloud' ? [{ head: say('Cash'), cell: cashCell(currency), isNumber: true }] : []),
      {
        head: say('Decision'),
        cell: ({ decided }) => mark(decided === 'recharge' ? 'ok' : decided, say(decidedWords[decided])),
      },
      {
        head: say('Because'),
        cell: ({ because }) => html`<span title="${because}">${say(becauseWords[because])}</span>`,
      },
      {
        head: say('Amount'),
        cell: ({ amountMinor }) => (amountMinor === null ? '' : money(amountMinor, currency)),
        isNumber: true,
      },
      { head: say('Recharge'), cell: ({ transactionId }) => transactionId && rechargeLink(transactionId) },
    ],
    rows,
    say('It has not looked yet.'),
  );
