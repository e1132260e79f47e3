import { Command, Option } from '@commander-js/extra-typings';
import type { BooksSnapshot } from '@replenish/domain';
import { withDomain } from '../../books.js';
import { type CommandRun, type Declare, Misuse } from '../../command.js';
import * as values from '../../values.js';
import { archive } from './archive.js';
import type { JournalForm } from './journal.js';

const EXAMPLE = `
Examples:
  replenish export --format hledger > books.journal && hledger -f books.journal check --strict
  replenish export --format csv --from 2026-11-01 --to 2026-12-01 > november.csv
  replenish export archive --out archive-2026-11`;

const forms = ['hledger', 'beancount', 'csv'] as const;
type FormName = (typeof forms)[number];

/** Exports: the ledger for accounting programs, or all books as an archive. */
export const exportCommand: Declare = (run) =>
  new Command('export')
    .description('print the ledger as a journal of hledger, Beancount or CSV, or archive the books')
    .addOption(new Option('--format <format>', 'form of the journal').choices(forms))
    .option('--from <time>', 'only entries from this time on', values.time)
    .option('--to <time>', 'only entries before this time', values.time)
    .addHelpText('after', EXAMPLE)
    .action(async ({ format, from, to }) => {
      // The option is checked here. If it were mandatory, commander would require it for `export archive`, too.
      if (format === undefined) throw new Misuse(`--format must be one of ${forms.join(', ')}`);
      if (from && to && from >= to) throw new Misuse('--from must be before --to');
      const form = await formOf(format as FormName);
      await withDomain(run.env, (domain) =>
        domain.snapshot((books) => write(books, form, { from, to }, run)),
      );
    })
    .addCommand(archive(run));

async function formOf(name: FormName): Promise<JournalForm> {
  if (name === 'hledger') return (await import('./hledger.js')).hledgerForm();
  if (name === 'beancount') return (await import('./beancount.js')).beancountForm();
  return (await import('./csv.js')).csvForm();
}

type ExportPeriod = Readonly<{ from: Date | undefined; to: Date | undefined }>;

/** Writes page by page, so a journal of any length takes the same memory, apart from the names of its accounts. */
async function write(
  books: BooksSnapshot,
  form: JournalForm,
  period: ExportPeriod,
  { say, written }: Pick<CommandRun, 'say' | 'written'>,
): Promise<void> {
  const { dayOf } = await import('./journal.js');
  const tell = async (lines: readonly string[]) => {
    if (lines.length > 0) say(lines.join('\n'));
    await written?.();
  };
  await tell(form.head({ at: books.at, ...period }));
  let lastDay = dayOf(books.at);
  for await (const page of books.entries(period)) {
    for (const { at } of page) if (dayOf(at) > lastDay) lastDay = dayOf(at);
    await tell(page.flatMap(form.entry));
  }
  if (!form.asserted || period.from || period.to) return;
  for await (const page of books.wallets()) await tell(form.asserted(page, lastDay));
}
