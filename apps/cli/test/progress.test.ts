import { PassThrough } from 'node:stream';
import { expect, test } from '@jest/globals';
import { until } from '@replenish/testing';
import { withProgress } from '../src/progress.js';

const gate = () => {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
};

test('without a terminal the progress of long work is printed in lines, with the current step', async () => {
  const lines: string[] = [];
  const { open, opened } = gate();
  const work = withProgress(
    { complain: (line) => void lines.push(line) },
    'checking 13 invariants',
    async (tell) => {
      await until(() => lines.length > 0, { limitMs: 30_000 }, 'a first line');
      tell('checking books_close');
      await opened;
      return 'done';
    },
    5,
  );
  await until(
    () => lines.some((line) => line.includes('books_close')),
    { limitMs: 30_000 },
    'the next words',
  );
  open();
  expect(await work).toBe('done');
  expect(lines[0]).toBe('still checking 13 invariants, 0 s');
  expect(lines.at(-1)).toBe('still checking books_close, 0 s');
  const told = lines.length;
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(lines).toHaveLength(told);
});

test('on a terminal progress is one redrawn line, which is removed at the end', async () => {
  const terminal = Object.assign(new PassThrough(), {
    isTTY: true,
    columns: 80,
    cursorTo: () => true,
    clearLine: () => true,
    moveCursor: () => true,
  });
  const { open, opened } = gate();
  const work = withProgress({ terminal: terminal as never, complain: () => {} }, 'migrating', () =>
    opened.then(() => Promise.reject(new Error('as tested'))),
  );
  let seen = '';
  terminal.setEncoding('utf8').on('data', (text: string) => {
    seen += text;
  });
  await until(() => seen.includes('migrating, '), { limitMs: 30_000 }, 'the line');
  open();
  await expect(work).rejects.toThrow('as tested');
});
