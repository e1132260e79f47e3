import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import { openPool, plainSession, UnfitDatabase } from '@replenish/runtime/postgres';
import type pg from 'pg';
import { migrationNames, prismaDir } from './migrations.js';
import { grantReports, grantRights, refuseUnfitRole } from './rights.js';

// TypeScript declares this global only in its types for browsers.
declare const WebAssembly: {
  instantiate(wasm: Buffer, imports: object): Promise<{ instance: { exports: Record<string, unknown> } }>;
};

const noFilters = { externalTables: [], externalEnums: [] };

// The number of the advisory lock. It may be any number that is the same in all processes.
const MIGRATION_LOCK = 7_215_001;

/**
 * Applies the missing migrations of prisma/migrations with Prisma's own schema engine, compiled to WebAssembly. It
 * writes the same records as `prisma migrate deploy`, and no native engine has to be downloaded. Processes that start
 * together wait for each other. Returns the names of the applied migrations.
 * @param options.appRole the role of the processes, which is granted the rights that they need. Unset: nothing is
 *   granted
 * @param options.reportRole a role that reads the views of schema `report` and nothing else
 */
export async function migrate(options: {
  databaseUrl: string;
  appRole?: string | undefined;
  reportRole?: string | undefined;
}): Promise<string[]> {
  const { databaseUrl, appRole, reportRole } = options;
  if (reportRole !== undefined && reportRole === appRole)
    throw new UnfitDatabase(
      `DATABASE_REPORT_ROLE and DATABASE_APP_ROLE name one role, ${appRole}: create another one`,
    );
  const lock = openSessions(databaseUrl, 1);
  // If the server goes away, the next statement fails and reports it.
  lock.on('error', () => {});
  try {
    const holder = await lock.connect();
    try {
      await refuseOtherEncoding(holder);
      if (appRole !== undefined) await refuseUnfitRole(holder, appRole);
      if (reportRole !== undefined) await refuseUnfitRole(holder, reportRole, 'DATABASE_REPORT_ROLE');
      await holder.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
      const applied = await withEngine(databaseUrl, async (engine) => {
        const migrationsList = readMigrations();
        return (await engine.applyMigrations({ migrationsList, filters: noFilters })).appliedMigrationNames;
      });
      if (appRole !== undefined) await grantRights(holder, appRole);
      if (reportRole !== undefined) await grantReports(holder, reportRole);
      return applied;
    } finally {
      // The lock ends with the session.
      holder.release(true);
    }
  } finally {
    await lock.end();
  }
}

/** Sessions without time limits, because a migration of a large table may take hours. */
const openSessions = (databaseUrl: string, max: number): pg.Pool =>
  openPool({
    databaseUrl,
    max,
    connectLimitMs: 10_000,
    pins: { ...plainSession, statement_timeout: ['0'], lock_timeout: ['0'] },
  });

/**
 * Refuses a database with another encoding than UTF8. Callers may send any text, so it would refuse some requests
 * later.
 */
async function refuseOtherEncoding(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<{ name: string; encoding: string }>(
    `select current_database() as name, current_setting('server_encoding') as encoding`,
  );
  const { name, encoding } = rows[0]!;
  if (encoding !== 'UTF8')
    throw new UnfitDatabase(
      `the database ${name} has the encoding ${encoding}, and must have UTF8: make it anew with create database ${name} encoding 'UTF8' template template0`,
    );
}

/**
 * The tables of schema.prisma as SQL, for the test that compares schema and migrations. The engine's own comparison
 * with a database needs Postgres's "char" type, which this adapter does not read.
 */
export async function schemaScript(options: { databaseUrl: string }): Promise<string> {
  const files = [{ path: 'schema.prisma', content: readFileSync(join(prismaDir, 'schema.prisma'), 'utf8') }];
  return withEngine(options.databaseUrl, async (engine) => {
    const to = { tag: 'schemaDatamodel' as const, files };
    const diff = await engine.diff({
      from: { tag: 'empty' },
      to,
      script: true,
      exitCode: null,
      filters: noFilters,
    });
    return diff.stdout ?? '';
  });
}

// The generated module keeps one WebAssembly instance in its state, so a process loads it once.
let glueLoaded: Promise<Glue> | null = null;
type Glue = typeof import('@prisma/schema-engine-wasm/schema_engine_bg');

async function loadGlue(): Promise<Glue> {
  const glueFile = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg');
  const glue = await import('@prisma/schema-engine-wasm/schema_engine_bg');
  const wasm = readFileSync(glueFile.replace(/\.js$/, '.wasm'));
  const { instance } = await WebAssembly.instantiate(wasm, { './schema_engine_bg.js': glue });
  glue.__wbg_set_wasm(instance.exports);
  (instance.exports.__wbindgen_start as () => void)();
  return glue;
}

type Engine = Awaited<ReturnType<Glue['SchemaEngine']['new']>>;

/**
 * Closes the engine's connection after the work, because the engine holds an advisory lock while its connection lives.
 */
async function withEngine<T>(databaseUrl: string, work: (engine: Engine) => Promise<T>): Promise<T> {
  glueLoaded ??= loadGlue();
  const glue = await glueLoaded;
  const pool = openSessions(databaseUrl, 2);
  const adapter = bindMigrationAwareSqlAdapterFactory(wholeScripts(pool));
  try {
    const engine = await glue.SchemaEngine.new({ datamodels: undefined }, () => {}, adapter);
    return await work(engine);
  } finally {
    await pool.end();
  }
}

/**
 * Sends each script as one text, as the native engine does. Postgres then runs it as one transaction, so a migration is
 * applied whole or not at all. The adapter itself cuts scripts at each semicolon, also inside the body of a function.
 */
function wholeScripts(pool: pg.Pool): PrismaPg {
  const factory = new PrismaPg(pool);
  const connect = factory.connect.bind(factory);
  factory.connect = async () => {
    const adapter = await connect();
    adapter.executeScript = async (script) => {
      await adapter.underlyingDriver().query(script);
    };
    return adapter;
  };
  return factory;
}

function readMigrations() {
  const baseDir = join(prismaDir, 'migrations');
  return {
    baseDir,
    lockfile: {
      path: 'migration_lock.toml',
      content: readFileSync(join(baseDir, 'migration_lock.toml'), 'utf8'),
    },
    shadowDbInitScript: '',
    migrationDirectories: migrationNames().map((path) => ({
      path,
      migrationFile: {
        path: 'migration.sql',
        content: { tag: 'ok' as const, value: readFileSync(join(baseDir, path, 'migration.sql'), 'utf8') },
      },
    })),
  };
}
