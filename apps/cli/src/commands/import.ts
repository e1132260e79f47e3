import { Command } from '@commander-js/extra-typings';
import type { Env } from '@replenish/runtime';
import { type Declare, JSON_ABOUT } from '../command.js';
import { type Tell, withProgress } from '../progress.js';
import { type ArchiveManifest, linesOf, readManifest, requireWholeFiles } from './export/manifest.js';

const ABOUT = `
It needs DATABASE_URL with the role that owns the tables, as \`migrate\` does, and makes the schema first. Nothing stays if
a file, a balance, a link of the chain or an invariant of the books does not fit. The secrets of keys are not in an
archive: rotate the keys that sign.`;

/** Puts an archive into an empty database. */
export const importCommand: Declare = ({ env, say, ...screen }) =>
  new Command('import')
    .description('put an archive into an empty database, and prove that the books are the same')
    .argument('<folder>', 'what `replenish export archive` wrote')
    .option('--json', JSON_ABOUT)
    .addHelpText('after', ABOUT)
    .action(async (folder, { json }) => {
      const manifest = await readManifest(folder);
      const { rows } = await withProgress(screen, 'reading the files', (tell) =>
        imported(env, folder, manifest, tell),
      );
      const count = Object.values(rows).reduce((sum, some) => sum + some, 0);
      if (json)
        return say(JSON.stringify({ ok: true, rows, balances: manifest.balances, chain: manifest.chain }));
      say(`imported ${count} rows of ${manifest.tables.length} tables`);
      say(`the balances of ${manifest.balances.accounts} accounts are those of the archive`);
      say(`the chain of ${manifest.chain.seq} rows and every invariant hold`);
    });

async function imported(env: Env, folder: string, manifest: ArchiveManifest, tell: Tell) {
  await requireWholeFiles(folder, manifest);
  tell('migrating');
  const [domain, queues, { readConfig, requireDatabaseUrl }] = await Promise.all([
    import('@replenish/domain'),
    import('@replenish/queues'),
    import('@replenish/runtime'),
  ]);
  const config = readConfig(env);
  const asked = { databaseUrl: requireDatabaseUrl(config), appRole: config.DATABASE_APP_ROLE };
  await domain.migrate(asked);
  if (!config.REDIS_URL) await queues.migrateQueues(asked);
  return domain.restoreBooks(
    asked.databaseUrl,
    {
      migrations: manifest.migrations,
      chain: { seq: BigInt(manifest.chain.seq), hash: manifest.chain.hash },
      balances: manifest.balances,
      rows: (name) => rowsOf(folder, manifest, name),
    },
    tell,
  );
}

function rowsOf(folder: string, { tables }: ArchiveManifest, name: string): AsyncGenerator<string[]> {
  const table = tables.find((one) => one.name === name);
  if (!table) throw new Error(`the archive has no table ${name}`);
  return linesOf(folder, table);
}
