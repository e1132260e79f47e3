import { currencies } from '@replenish/domain/rules';
import { code, type Page, table } from './layout.js';

/** An example amount: 12 units, or 12.34 where the currency has decimals. */
function example(exponent: number): string {
  const minor = exponent === 0 ? '12' : `12${'34'.padEnd(exponent, '0').slice(0, exponent)}`;
  const major = exponent === 0 ? '12' : `12.${minor.slice(2)}`;
  return `${major} is ${minor}`;
}

const names = new Intl.DisplayNames('en', { type: 'currency' });

/** The page of the accepted currencies, from the list that requests are checked with. */
export function currencyPage(): Page {
  const rows = currencies().map(({ code, exponent }) => [
    `<code>${code}</code>`,
    names.of(code) ?? code,
    String(exponent),
    example(exponent),
  ]);
  return {
    path: '/docs/currencies',
    title: 'Currencies',
    content: () => ({
      html: `<h1>Currencies</h1>
<p><code>amount</code> is an integer of minor units: the smallest unit of the currency. How many decimals that is depends on
the currency (ISO 4217), so the same digits are not the same money:</p>
${code('{ "amount": 4999, "currency": "USD" }   49.99 dollars\n{ "amount": 4999, "currency": "JPY" }   4999 yen\n{ "amount": 4999, "currency": "KWD" }   4.999 dinars')}
<p><code>POST /api/charge</code> takes major units instead: <code>49.99</code>. An amount that is finer than the smallest unit
is refused.</p>
<h2 id="accepted">Accepted currencies</h2>
${table(['code', 'currency', 'decimals', 'as minor units'], rows)}`,
    }),
  };
}
