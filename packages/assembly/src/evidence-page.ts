import { bookedExponentOf, type EvidencePack, majorFromMinor } from '@replenish/domain/rules';
import { escapeHtml, pageHead } from '@replenish/runtime';

/** Styles of the page, made for paper. */
export const evidenceStyle = `:root { color-scheme: light; }
body { margin: 2rem auto; max-width: 62rem; padding: 0 1rem; color: #1d2430; background: #fff;
  font: 14px / 1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Noto Sans CJK SC", sans-serif; }
h1 { font-size: 1.5rem; }
h2 { font-size: 1.1rem; margin: 1.6rem 0 0.4rem; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; color: #566074; }
th, td { border: 1px solid #b9c0cc; padding: 0.2rem 0.45rem; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
th { background: #f4f6f9; }
tr { break-inside: avoid; }
thead { display: table-header-group; }
code { font-size: 0.85em; overflow-wrap: anywhere; }
@page { size: A4; margin: 14mm; }
@media print { body { margin: 0; max-width: none; font-size: 10px; } }
`;

/**
 * The evidence as a page to print. `styleHref` names a style sheet. Without one, the page contains its styles and is
 * complete as a file.
 */
export function evidencePage(pack: EvidencePack, styleHref: string | null = null): string {
  const { recharge, request, parts, chain } = pack;
  const style =
    styleHref === null
      ? `<style>\n${evidenceStyle}</style>`
      : `<link rel="stylesheet" href="${escapeHtml(styleHref)}">`;
  return `<!doctype html>
<html lang="en">
<head>
${pageHead(`Evidence of ${pack.transactionId}`)}
${style}
</head>
<body>
<h1>Evidence of recharge ${escapeHtml(pack.transactionId)}</h1>
<p>${escapeHtml(headline(recharge))} Made at ${escapeHtml(pack.madeAt)}. Times are UTC. The JSON form of this pack is checked by
<code>npx replenish evidence check FILE</code>.</p>
${section('Recharge', fields({ ...recharge }))}
${section('Request', fields({ ...request }))}
${parts.map((part) => section(`Part: ${part.recharge.kind}`, fields({ ...part.recharge }) + fields({ ...part.request }))).join('')}
${list('Transitions', pack.transitions)}
${list('Calls to the provider', pack.calls)}
${list('Webhooks', pack.webhooks)}
${list('Postings', pack.postings.map(withMajor))}
${list('Sums of the postings (credits less debits)', pack.sums.map(withMajor))}
${list('Cases', pack.cases)}
${list('Decisions of people', pack.actions)}
${list(
  'Links of the chain',
  chain.links.map(({ seq, source, rowKey, hash, sealedAt }) => ({ seq, source, rowKey, hash, sealedAt })),
)}
<p>${chain.head ? `The head of the chain was link ${chain.head.seq}, <code>${escapeHtml(chain.head.hash)}</code>.` : 'Nothing was sealed yet.'}
${chain.unsealed.length > 0 ? `${chain.unsealed.length} rows of this pack are not sealed yet.` : ''}</p>
</body>
</html>
`;
}

const headline = ({ kind, state, amount, currency, accountId, provider }: EvidencePack['recharge']): string =>
  `${kind} of ${major(amount, currency)} for account ${accountId} through ${provider}: ${state}.`;

/** An amount in major units, if it is exact. */
function major(amount: number, currency: string): string {
  const exponent = bookedExponentOf(currency);
  return exponent === undefined || !Number.isSafeInteger(amount)
    ? `${amount} minor units of ${currency}`
    : `${majorFromMinor(BigInt(amount), exponent)} ${currency}`;
}

const withMajor = <Row extends { amount?: number; sum?: number; currency: string }>(row: Row) => ({
  ...row,
  money: major(row.amount ?? row.sum ?? 0, row.currency),
});

const section = (title: string, html: string): string =>
  `<section><h2>${escapeHtml(title)}</h2>\n${html}</section>\n`;

const fields = (row: Readonly<Record<string, unknown>>): string =>
  `<table><tbody>${Object.entries(row)
    .map(([name, value]) => `<tr><th scope="row">${escapeHtml(name)}</th><td>${cell(value)}</td></tr>`)
    .join('')}</tbody></table>\n`;

function list(title: string, rows: readonly object[]): string {
  if (rows.length === 0) return section(title, '<p>None.</p>\n');
  const names = Object.keys(rows[0]!);
  const head = names.map((name) => `<th scope="col">${escapeHtml(name)}</th>`).join('');
  const body = rows.map(
    (row) =>
      `<tr>${names.map((name) => `<td>${cell((row as Record<string, unknown>)[name])}</td>`).join('')}</tr>`,
  );
  return section(title, `<table><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table>\n`);
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'object'
    ? `<code>${escapeHtml(JSON.stringify(value))}</code>`
    : escapeHtml(String(value));
}
