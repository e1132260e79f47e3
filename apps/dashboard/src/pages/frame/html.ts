import { html as escaping, raw } from 'hono/html';

/** Markup. Only `html` and `trusted` make it, so text from outside is always escaped. */
export type Html = Readonly<{ toString(): string; isEscaped: true }>;

/** What a template may hold. Objects are no part of it: parsed JSON could pretend to be markup. */
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

/** Markup of our own that no text of others is part of. */
export const trusted = (markup: string): Html => raw(markup) as Html;

export const nothing: Html = trusted('');
