import { escapeHtml, pageHead, pageHeader, pageLook } from '@replenish/runtime';
import type { inspectOrder } from '../machine/order.js';
import { type OutageMode, outageModes } from '../machine/outage.js';
import { scenarios } from '../machine/scenarios.js';
import type { Counters } from '../machine/store/store.js';

/**
 * An HTML table. Each cell repeats the heading of its column, because narrow screens show the cells below each other.
 */
const table = (heads: readonly string[], rows: readonly (readonly string[])[]): string => {
  const cells = (row: readonly string[]) =>
    row.map((cell, nth) => `<td data-label="${heads[nth]}">${cell}</td>`).join('');
  return `<table><thead><tr>${heads.map((head) => `<th>${head}</th>`).join('')}</tr></thead><tbody>${rows
    .map((row) => `<tr>${cells(row)}</tr>`)
    .join('')}</tbody></table>`;
};

const controls: readonly (readonly [string, string])[] = [
  [
    'GET /_control/orders?reference=R',
    'the order of a reference and its charges; without reference the newest, with limit and cursor',
  ],
  ['GET /_control/calls?reference=R', 'every contact about a reference in order, and what was answered'],
  ['GET /_control/stats', 'counters'],
  [`POST /_control/outage {"mode":"${Object.keys(outageModes).join('|')}"}`, 'starts or ends an outage'],
];

const STYLE = `${pageLook}
  main { max-width: 68rem; margin: 0 auto; padding: 1.5rem; }
  h1 { margin: 0 0 1rem; line-height: 1.25; }
  h2 { margin-top: 2.2rem; }
  table { width: 100%; border-collapse: collapse; font-size: .92rem; }
  th, td { padding: .4rem .7rem .4rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
  th { color: var(--soft); }
  code { font: .875em ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
  form { display: flex; flex-wrap: wrap; gap: .6rem; }
  button { padding: .35rem 1rem; border: 1px solid var(--link); border-radius: 6px; background: var(--paper); color: var(--link); font: inherit; cursor: pointer; }
  button[aria-pressed=true] { background: var(--link); color: var(--paper); }
  @media (max-width: 48rem) {
    table, tbody, tr, td { display: block; }
    thead { display: none; }
    tr { padding: .5rem 0; border-bottom: 1px solid var(--line); }
    td { padding: .1rem 0; border: 0; overflow-wrap: anywhere; }
    td[data-label]::before { content: attr(data-label) ": "; color: var(--soft); }
  }
`;

export type PageFacts = Readonly<{
  newest: readonly ReturnType<typeof inspectOrder>[];
  counters: Counters;
  mode: OutageMode;
  /** Address of the documentation. Null when it is not known. */
  docsUrl: string | null;
}>;

/** The page that a browser shows for the simulator. It needs no script. */
export const page = ({
  newest,
  counters: { orders, webhooks },
  mode,
  docsUrl,
}: PageFacts): string => `<!doctype html>
<html lang="en">
<head>
${pageHead('Provider sandbox')}
<style>${STYLE}</style>
</head>
<body>
${pageHeader('/', 'sandbox', docsUrl === null ? [] : [{ href: docsUrl, text: 'Documentation' }])}
<main>
<h1>Provider sandbox</h1>
<p>It stands in for a payment provider and moves no money. Orders: ${orders.pending} pending, ${orders.settled} settled,
${orders.declined} declined. Webhooks: ${webhooks.sent} sent, ${webhooks.pending} waiting, ${webhooks.failed} failed attempts,
${webhooks.abandoned} abandoned.</p>
<h2>Outage</h2>
<p>Now: <strong>${mode}</strong> (${escapeHtml(outageModes[mode])}).</p>
${outageForm(mode)}
<h2>Scenarios</h2>
<p>Set <code>metadata.scenario</code> of a recharge, or <code>scenario</code> of an order.</p>
${table(
  ['scenario', 'what the provider does'],
  Object.entries(scenarios).map(([name, { does }]) => [`<code>${name}</code>`, escapeHtml(does)]),
)}
<h2>Newest orders</h2>
${newest.length === 0 ? '<p>There is no order yet.</p>' : orderTable(newest)}
<h2>Control calls</h2>
${table(
  ['call', 'what it does'],
  controls.map(([call, does]) => [`<code>${escapeHtml(call)}</code>`, escapeHtml(does)]),
)}
</main>
</body>
</html>
`;

const outageForm = (mode: OutageMode): string =>
  `<form method="post" action="/_control/outage">${Object.keys(outageModes)
    .map((one) => `<button name="mode" value="${one}" aria-pressed="${one === mode}">${one}</button>`)
    .join('')}</form>`;

const orderTable = (newest: PageFacts['newest']): string =>
  table(
    ['made', 'order', 'reference', 'scenario', 'status', 'amount', 'charges'],
    newest.map((order) => [
      order.createdAt,
      `<code>${order.id}</code>`,
      `<code>${escapeHtml(order.reference)}</code>`,
      order.scenario,
      order.status,
      `${order.amount} ${order.currency}`,
      String(order.charges.length),
    ]),
  );
