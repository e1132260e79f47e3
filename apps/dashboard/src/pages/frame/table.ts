import { type Html, html, nothing, type Shown } from './html.js';

/**
 * A column: its head, and what a row shows in it. Numbers stand at the right. Short texts stay on one line, and long ones
 * have room for a sentence.
 */
export type TableColumn<Row> = Readonly<{
  head: string;
  cell: (row: Row) => Shown;
  isNumber?: boolean;
  text?: 'short' | 'long';
}>;

// The columns that a phone has room for, where a number counts for one and a text for two. The rows of a wider table
// become lists of names and values there.
const ROOM_OF_A_PHONE = 5;

const roomOf = (columns: readonly Readonly<{ isNumber?: boolean }>[]): number =>
  columns.reduce((room, { isNumber }) => room + (isNumber ? 1 : 2), 0);

/** A table that scrolls by itself, or folds, where the screen is narrow. Without rows it says `empty`. */
export function table<Row>(
  caption: string,
  columns: readonly TableColumn<Row>[],
  rows: readonly Row[],
  empty: string,
): Html {
  if (rows.length === 0) return html`<p class="empty">${empty}</p>`;
  const classOf = ({ isNumber, text }: TableColumn<Row>): string =>
    isNumber ? 'number' : `text ${text ?? ''}`.trim();
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}">
<table class="${roomOf(columns) > ROOM_OF_A_PHONE ? 'folding' : 'narrow'}">
<caption class="unseen">${caption}</caption>
<thead><tr>${columns.map((column) => html`<th scope="col" class="${classOf(column)}">${column.head}</th>`)}</tr></thead>
<tbody>${rows.map(
    (row) =>
      html`<tr>${columns.map((column) => html`<td class="${classOf(column)}" data-head="${column.head}">${column.cell(row)}</td>`)}</tr>`,
  )}</tbody>
</table>
</div>`;
}

/** Names with their values. A value that is null is left out. */
export function facts(pairs: readonly (readonly [name: string, value: Shown])[]): Html {
  const shown = pairs.filter(([, value]) => value !== null && value !== undefined && value !== false);
  return html`<dl class="facts">${shown.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** A link to the next page. Null: this is the last one. */
export const nextLink = (address: string | null, words: string): Html =>
  address === null ? nothing : html`<p class="next"><a rel="next" href="${address}">${words}</a></p>`;

/** JSON for people to read, as text. */
export const jsonText = (value: unknown): Html =>
  html`<pre tabindex="0">${JSON.stringify(value, (_name, part) => (typeof part === 'bigint' ? String(part) : part), 2)}</pre>`;
