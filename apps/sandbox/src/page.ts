import type { inspectOrder } from './order.js';
import { type OutageMode, outageModes } from './outage.js';
import { scenarios } from './scenarios.js';
import type { Counters } from './store.js';

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const text = (value: unknown): string => String(value).replace(/[&<>"']/g, (c) => entities[c] ?? c);
const row = (...cells: string[]): string => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
const table = (heads: readonly string[], rows: readonly string[]): string =>
  `<table><thead><tr>${heads.map((head) => `<th>${head}</th>`).join('')}</tr></thead><tbody>${rows.join('')}</tbody></table>`;

const controls: readonly (readonly [string, string])[] = [
  [
    'GET /_control/orders?reference=R',
    'the order of a reference and its charges; without reference the newest, with limit and cursor',
  ],
  ['GET /_control/calls?reference=R', 'every contact about a reference in order, and what was answered'],
  ['GET /_control/stats', 'counters'],
  [`POST /_control/outage {"mode":"${Object.keys(outageModes).join('|')}"}`, 'starts or ends an outage'],
];

/** What a person sees who opens the simulator in a browser: no script, nothing to wait for. */
export function page(
  newest: readonly ReturnType<typeof inspectOrder>[],
  counters: Counters,
  mode: OutageMode,
): string {
  const { orders, webhooks } = counters;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Provider sandbox</title>
<style>body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ddd;vertical-align:top}
code{font-size:13px;overflow-wrap:anywhere}</style></head><body>
<h1>Provider sandbox</h1>
<p>Outage: <b>${mode}</b> (${text(outageModes[mode])}). Orders: ${orders.pending} pending, ${orders.settled} settled,
${orders.declined} declined. Webhooks: ${webhooks.sent} sent, ${webhooks.pending} waiting, ${webhooks.failed} failed tries,
${webhooks.abandoned} abandoned.</p>
<h2>Scenarios</h2>
<p>Set <code>metadata.scenario</code> of a recharge, or <code>scenario</code> of an order.</p>
${table(
  ['scenario', 'what the provider does'],
  Object.entries(scenarios).map(([name, { does }]) => row(`<code>${name}</code>`, text(does))),
)}
<h2>Control calls</h2>
${table(
  ['call', 'what it does'],
  controls.map(([call, does]) => row(`<code>${text(call)}</code>`, text(does))),
)}
<h2>Newest orders</h2>
${table(
  ['made', 'order', 'reference', 'scenario', 'status', 'amount', 'charges'],
  newest.map((order) =>
    row(
      order.createdAt,
      `<code>${order.id}</code>`,
      `<code>${text(order.reference)}</code>`,
      order.scenario,
      order.status,
      `${order.amount} ${order.currency}`,
      String(order.charges.length),
    ),
  ),
)}
</body></html>`;
}
