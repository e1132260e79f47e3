import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { Misuse } from '../../command.js';

export const ARCHIVE_FORMAT = 'replenish-archive/1';
export const MANIFEST = 'manifest.json';

export type ArchivedTable = Readonly<{ name: string; file: string; rows: number; sha256: string }>;

/** What an archive holds. Its own hash, kept elsewhere, proves the whole archive. */
export type ArchiveManifest = Readonly<{
  format: typeof ARCHIVE_FORMAT;
  madeAt: string;
  migrations: readonly string[];
  chain: Readonly<{ seq: number; hash: string; sealedAt: string | null; unsealed: number }>;
  /** The number of accounts of the ledger, and a hash over their balances. */
  balances: Readonly<{ accounts: number; sha256: string }>;
  tables: readonly ArchivedTable[];
  /** Tables that no archive has, with their numbers of rows as Postgres estimates them, and the reason. */
  leftOut: readonly Readonly<{ table: string; rows: number; why: string }>[];
}>;

/** @throws Misuse if the folder has no whole manifest */
export async function readManifest(folder: string): Promise<ArchiveManifest> {
  const text = await readFile(join(folder, MANIFEST), 'utf8').catch(() => {
    throw new Misuse(`${folder} has no ${MANIFEST}: it is no archive, or one that was not finished`);
  });
  const read = parsed(text);
  if (read?.format !== ARCHIVE_FORMAT || !Array.isArray(read.tables) || !Array.isArray(read.migrations))
    throw new Misuse(`${join(folder, MANIFEST)} is not what \`replenish export archive\` writes`);
  return read;
}

function parsed(text: string): ArchiveManifest | null {
  try {
    return JSON.parse(text) as ArchiveManifest;
  } catch {
    return null;
  }
}

/** @throws Error naming the first file that is not what the manifest says */
export async function requireWholeFiles(folder: string, { tables }: ArchiveManifest): Promise<void> {
  for (const { file, sha256 } of tables) {
    const hash = createHash('sha256');
    await pipeline(createReadStream(pathOf(folder, file)), hash);
    const found = hash.digest('hex');
    if (found !== sha256)
      throw new Error(`${file} is not the file of the manifest: it was changed or cut off`);
  }
}

const pathOf = (folder: string, file: string): string => join(folder, basename(file));

const PAGE = 500;

/** The lines of an archived table, one page of lines at a time. */
export async function* linesOf(folder: string, { file }: ArchivedTable): AsyncGenerator<string[]> {
  let page: string[] = [];
  for await (const line of createInterface({ input: createReadStream(pathOf(folder, file)) })) {
    page.push(line);
    if (page.length < PAGE) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
