import Table from 'cli-table3';
import type { Terminal } from './command.js';

// Columns are separated by two spaces and have no lines, so that grep, awk and cut can read the output.
const NO_LINES = Object.fromEntries(
  [
    ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
    ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'],
  ].map((place) => [place, '']),
);

/** A table with column heads. Control characters in cells become spaces, because they could move the columns. */
export function tableOf(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  paint: Terminal['paint'],
): string {
  const table = new Table({
    head: heads.map((head) => paint?.('bold', head) ?? head),
    chars: { ...NO_LINES, middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  table.push(...rows.map((row) => row.map((cell) => cell.replace(/\p{Cc}/gu, ' '))));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
