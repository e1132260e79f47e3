import { html as escaping, raw } from 'hono/html';

/** Markup. Only `html` and `trusted` make it, so text from outside is always escaped. */
export type Html = Readonly<{ toString(): string; isEscaped: true }>;

/** The values that a template may hold. Objects are not allowed, because parsed JSON could pretend to be markup. */
export type Shown = Html | string | number | bigint | false | null | undefined | readonly Shown[];

/** Text between the markup is escaped. Null and false are left out. */
export function html(strings: TemplateStringsArray, ...values: readonly Shown[]): Html {
  const made = escaping(strings, ...values.map(plain));
  if (made instanceof Promise) throw new Error('a template holds something that is not there yet');
  return made as Html;
}

const plain = (value: Shown): unknown => {
  if (Array.isArray(value)) return value.map(plain);
  return typeof value === 'bigint' ? value.toString() : value;
};

/** Accepts our own markup as safe. It must not contain text from outside. */
export const trusted = (markup: string): Html => raw(markup) as Html;

export const nothing: Html = trusted('');
