import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Command } from '@commander-js/extra-typings';
import type { BooksSnapshot } from '@replenish/domain';
import { withDomain } from '../../books.js';
import { type Declare, JSON_ABOUT, Misuse } from '../../command.js';
import { type Tell, withProgress } from '../../progress.js';
import { ARCHIVE_FORMAT, type ArchivedTable, type ArchiveManifest, MANIFEST } from './manifest.js';

/** The whole of the books as files, for keeping and for `import`. */
export const archive: Declare = ({ env, say, ...screen }) =>
  new Command('archive')
    .description(
      'write the books as of now into a new folder: a file of JSON lines per table, and a manifest',
    )
    .requiredOption('--out <folder>', 'a folder that is made, or is empty')
    .option('--json', JSON_ABOUT)
    .action(async ({ out, json }) => {
      await requireEmptyFolder(out);
      const manifest = await withProgress(screen, 'archiving', (tell) =>
        withDomain(env, (domain) => domain.snapshot((books) => writeArchive(books, out, tell))),
      );
      if (json) return say(JSON.stringify(manifest));
      const rows = manifest.tables.reduce((sum, table) => sum + table.rows, 0);
      say(`archived ${rows} rows of ${manifest.tables.length} tables in ${out}`);
      say(`head of the chain: ${manifest.chain.hash} over ${manifest.chain.seq} rows`);
      const filled = manifest.leftOut.filter((one) => one.rows > 0).map(({ table }) => table);
      if (filled.length > 0) say(`no part of an archive: ${filled.join(', ')}`);
    });

async function requireEmptyFolder(folder: string): Promise<void> {
  // What an archive holds is as confidential as a backup.
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if ((await readdir(folder)).length > 0) throw new Misuse(`--out ${folder} is not empty`);
}

/** The manifest comes last, under its name only once it is whole. So an archive that was cut off has none. */
async function writeArchive(books: BooksSnapshot, folder: string, tell: Tell): Promise<ArchiveManifest> {
  const { archivedTables, balancesDigest } = await import('@replenish/domain');
  const tables: ArchivedTable[] = [];
  for (const name of archivedTables) {
    tell(`archiving ${name}`);
    tables.push(await writeTable(books, folder, name));
  }
  tell('adding up the balances');
  const digest = balancesDigest();
  for await (const page of books.balances()) digest.add(page);
  const { seq, hash, sealedAt, unsealed } = await books.head();
  const manifest: ArchiveManifest = {
    format: ARCHIVE_FORMAT,
    madeAt: books.at.toISOString(),
    migrations: await books.migrations(),
    chain: { seq: Number(seq), hash, sealedAt: sealedAt?.toISOString() ?? null, unsealed },
    balances: digest.end(),
    tables,
    leftOut: await books.leftOut(),
  };
  const unfinished = join(folder, `${MANIFEST}.part`);
  await writeFile(unfinished, `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600, flush: true });
  await rename(unfinished, join(folder, MANIFEST));
  return manifest;
}

async function writeTable(books: BooksSnapshot, folder: string, name: string): Promise<ArchivedTable> {
  const file = `${name}.ndjson`;
  const hash = createHash('sha256');
  let rows = 0;
  const texts = async function* (): AsyncGenerator<string> {
    for await (const page of books.rows(name)) {
      const text = page.map((line) => `${line}\n`).join('');
      hash.update(text);
      rows += page.length;
      yield text;
    }
  };
  await pipeline(
    Readable.from(texts()),
    createWriteStream(join(folder, file), { flags: 'wx', mode: 0o600, flush: true }),
  );
  return { name, file, rows, sha256: hash.digest('hex') };
}
