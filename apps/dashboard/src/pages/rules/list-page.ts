import { type Domain, isUuid, type RuleView } from '@replenish/domain';
import { may, type PageCall, type ShownPage } from '../frame/call.js';
import { accountLink, mark, money, shortId, time } from '../frame/format.js';
import { type Html, html, nothing, trusted } from '../frame/html.js';
import { nextLink, table } from '../frame/table.js';
import { becauseWords, decidedWords, modeWords, watchWords } from './words.js';

export type RulePagesDeps = Readonly<{ domain: Pick<Domain, 'rules' | 'payees'> }>;

const PAGE_ROWS = 50;
const statuses = ['active', 'paused', 'expired'] as const;

/** The rules of all clients, newest first, and the switch that stops all of them. */
export async function rulesPage({ domain }: RulePagesDeps, call: PageCall): Promise<ShownPage> {
  const { say, asked } = call;
  const status = statuses.find((one) => one === asked('status'));
  const after = asked('after');
  const beforeId = after !== null && isUuid(after) ? after : undefined;
  const [{ rows, nextId }, stop] = await Promise.all([
    domain.rules.list({ viewer: null, status, beforeId, limit: PAGE_ROWS }),
    domain.rules.stop(),
  ]);
  const choice = (one: string | undefined, address: string, words: string): Html =>
    html`<a href="${address}" ${one === status ? trusted('aria-current="true"') : nothing}>${words}</a> `;
  const body = html`${stopPart(stop, call)}
<p class="choices">${choice(undefined, '/rules', say('all'))}${statuses.map((one) => choice(one, `/rules?status=${one}`, say(one)))}</p>
${ruleTable(rows, call)}${nextLink(nextId && `/rules?${new URLSearchParams({ ...(status && { status }), after: nextId })}`, say('Older ones'))}`;
  return { title: say('Rules'), body, isLive: beforeId === undefined };
}

function stopPart(
  { isStopped, actor, at }: Awaited<ReturnType<Domain['rules']['stop']>>,
  call: PageCall,
): Html {
  const { say } = call;
  const [verb, words] = isStopped ? ['start', say('Start all rules')] : ['stop', say('Stop all rules')];
  const button = html`<p class="verbs"><a class="button" href="/rules/${verb}">${words}</a></p>`;
  return html`${isStopped ? html`<p class="alarm" role="status">${say('All rules are stopped')}${say(': ')}${actor} · ${time(at)}</p>` : nothing}${may(call, 'operator') ? button : nothing}`;
}

const ruleTable = (rows: readonly RuleView[], { say }: PageCall): Html =>
  table<RuleView>(
    say('Rules'),
    [
      {
        head: say('Rule'),
        cell: ({ id }) => html`<a class="id" href="/rules/${id}" title="${id}">${shortId(id)}</a>`,
      },
      { head: say('Account'), cell: ({ accountId }) => accountLink(accountId) },
      {
        head: say('Client'),
        cell: ({ clientId }) => html`<code title="${clientId}">${shortId(clientId)}</code>`,
      },
      { head: say('Watches'), cell: ({ watch }) => say(watchWords[watch]) },
      {
        head: say('Below'),
        cell: ({ terms, currency }) => money(terms.belowMinor, currency),
        isNumber: true,
      },
      { head: say('Does'), cell: ({ terms }) => say(modeWords[terms.mode]) },
      { head: say('State'), cell: (rule) => ruleState(rule, say) },
      { head: say('Last decision'), cell: (rule) => lastDecision(rule, say) },
      {
        head: say('Balance'),
        cell: ({ forecast: { balanceMinor }, currency }) =>
          balanceMinor === null ? '-' : money(balanceMinor, currency),
        isNumber: true,
      },
      { head: say('Used up'), cell: ({ forecast }) => time(forecast.runsOutAt) },
    ],
    rows,
    say('No rule fits.'),
  );

export const ruleState = ({ status, pausedBecause }: RuleView, say: PageCall['say']): Html =>
  html`${mark(status === 'active' ? 'ok' : status === 'paused' ? 'waiting' : 'canceled', say(status))} ${pausedBecause && html`<span title="${pausedBecause}">${say(becauseWords[pausedBecause])}</span>`}`;

const lastDecision = ({ lastDecision: last }: RuleView, say: PageCall['say']): Html =>
  last === null
    ? html`<span class="none">-</span>`
    : html`${say(decidedWords[last.decided])}${say(': ')}<span title="${last.because}">${say(becauseWords[last.because])}</span>`;
