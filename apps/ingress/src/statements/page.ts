import { majorFromMinor } from '@replenish/domain';
import { exponentOf } from '@replenish/domain/rules';
import { escapeHtml, pageHead } from '@replenish/runtime';
import type { MonthRow, StatementForm, StatementHead } from './body.js';
import { kindWords, labels, type StatementLanguage } from './words.js';

/** The page carries its own styles, so that it looks the same when it is saved or sent on. */
export const pageStyle = `@page { margin: 15mm 12mm; }
body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #1d2430; background: #fff;
  font: 14px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans",
  "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif; }
h1 { font-size: 1.4rem; }
h2 { font-size: 1.1rem; margin-top: 2rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.2rem 1.5rem; }
dt { color: #566074; }
dd { margin: 0; }
table { width: 100%; border-collapse: collapse; }
thead { display: table-header-group; }
tr { break-inside: avoid; }
th, td { padding: 0.25rem 0.5rem; border-bottom: 1px solid #d9dee7; text-align: left; vertical-align: top; }
td.number, th.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
td.id { font: 11px/1.8 ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
td.time { white-space: nowrap; }
tr.bound td { font-weight: 600; }
@media print {
  body { margin: 0; max-width: none; padding: 0; font-size: 10pt; }
  td.id { font-size: 7pt; min-width: 20ch; }
}
@media screen and (min-width: 900px) { td.id { white-space: nowrap; } }
@media screen and (max-width: 640px) {
  body { margin: 1rem auto; }
  dl { grid-template-columns: 1fr; }
  dd { margin-bottom: 0.4rem; overflow-wrap: anywhere; }
  .lines thead { display: none; }
  .lines, .lines tbody { display: block; }
  .lines tr { display: grid; grid-template: "time amount" "text balance" "id id" / 1fr auto; gap: 0 1rem;
    padding: 0.5rem 0; border-bottom: 1px solid #d9dee7; }
  .lines td { padding: 0; border: 0; overflow-wrap: anywhere; }
  .lines .time { grid-area: time; }
  .lines .amount { grid-area: amount; }
  .lines .text { grid-area: text; }
  .lines .balance { grid-area: balance; }
  .lines .id { grid-area: id; }
  .lines .balance::before { content: "${labels.en.balance} "; color: #566074; font-weight: 400; }
  .lines .balance:lang(zh)::before { content: "${labels.zh.balance} "; }
}
`;

/** A page that a browser shows and prints. Amounts are in major units, times are those of the account's time zone. */
export function pageForm(language: StatementLanguage): StatementForm {
  const own = labels[language];
  let money: (minor: bigint) => string;
  let timeIn: (at: Date) => string;
  let hasLines = false;
  const bound = (label: string, balance: bigint): string =>
    `<tr class="bound"><td></td><td class="text" colspan="3">${label}</td><td class="number balance">${money(balance)}</td></tr>\n`;
  return {
    head: (head) => {
      money = moneyIn(head.currency, language);
      timeIn = timesOf(head.timeZone);
      return `${opening(head, language, timeIn)}${bound(own.opening, head.opening)}`;
    },
    rows: (rows) => {
      hasLines = true;
      return rows.map((row) => lineOf(row, money, timeIn)).join('');
    },
    foot: ({ totals, closing }) => {
      const sums = totals.map(
        ({ kind, amount }) =>
          `<tr><td>${kindWords[language][kind]}</td><td class="number">${money(amount)}</td></tr>\n`,
      );
      const tail = hasLines
        ? `<h2>${own.totals}</h2>\n<table><tbody>\n${sums.join('')}</tbody></table>`
        : `<p>${own.nothing}</p>`;
      return `${bound(own.closing, closing)}</tbody></table>\n${tail}\n</body>\n</html>\n`;
    },
  };
}

function opening(head: StatementHead, language: StatementLanguage, timeIn: (at: Date) => string): string {
  const own = labels[language];
  const { accountId, currency, period, timeZone, from, to, asOf } = head;
  const unit = exponentOf(currency) === undefined ? own.minorUnits : '';
  const facts = [
    [own.account, accountId],
    [own.currency, `${currency}${unit}`],
    [own.period, own.month(period, timeIn(from), timeIn(to), timeZone)],
    [own.asOf, `${timeIn(asOf)}${asOf < to ? own.isOpen : ''}`],
  ];
  const rows = facts.map(([name, value]) => `<dt>${name}</dt><dd>${escapeHtml(value!)}</dd>`);
  const heads = [own.at, own.text, own.transaction].map((label) => `<th>${label}</th>`);
  const numbers = [own.amount, own.balance].map((label) => `<th class="number">${label}</th>`);
  return `<!doctype html>
<html lang="${language === 'zh' ? 'zh-CN' : 'en'}">
<head>
${pageHead(`${own.title} ${accountId} ${period}`)}
<style>${pageStyle}</style>
</head>
<body>
<h1>${own.title}</h1>
<dl>
${rows.join('\n')}
</dl>
<table class="lines">
<thead><tr>${heads.join('')}${numbers.join('')}</tr></thead>
<tbody>
`;
}

const lineOf = (row: MonthRow, money: (minor: bigint) => string, timeIn: (at: Date) => string): string =>
  `<tr><td class="time">${timeIn(row.at)}</td><td class="text">${escapeHtml(row.text)}</td><td class="id">${row.transactionId}</td>` +
  `<td class="number amount">${money(row.amount)}</td><td class="number balance">${money(row.balance)}</td></tr>\n`;

/** Writes amounts with all their digits. Amounts of currencies that are no longer in use stay in minor units. */
function moneyIn(currency: string, language: StatementLanguage): (minor: bigint) => string {
  const exponent = exponentOf(currency) ?? 0;
  const format = new Intl.NumberFormat(language, {
    minimumFractionDigits: exponent,
    maximumFractionDigits: exponent,
  });
  return (minor) => format.format(majorFromMinor(minor, exponent) as Intl.StringNumericLiteral);
}

/** Times like `2026-11-21 22:00:00`, which readers of both languages understand. The Swedish locale writes them so. */
function timesOf(timeZone: string): (at: Date) => string {
  const format = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium', timeZone });
  return (at) => format.format(at);
}
