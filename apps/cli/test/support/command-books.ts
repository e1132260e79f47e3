import { type Domain, openDomain } from '@replenish/domain';
import { createDatabase } from '@replenish/testing';
import { run as runCommand } from '../../src/run.js';

/** A database of its own, with a domain on it and the command line in front of it. */
export interface CommandBooks {
  readonly databaseUrl: string;
  readonly domain: Domain;
  /** Runs a command on this database. Returns its exit code and its lines, those of standard error too. */
  run(...args: readonly string[]): Promise<{ exitCode: number; lines: string[]; text: string }>;
  close(): Promise<void>;
}

/** @param settings further settings of the commands */
export async function openCommandBooks(
  settings: Readonly<Record<string, string>> = {},
): Promise<CommandBooks> {
  const database = await createDatabase();
  const domain = openDomain({
    databaseUrl: database.url,
    poolMax: 2,
    reconcileAfterMs: 60_000,
    providerTimeoutMs: 1_000,
  });
  const env = { DATABASE_URL: database.url, REPLENISH_DIR: '/nowhere', ...settings };
  return {
    databaseUrl: database.url,
    domain,
    run: async (...args) => {
      const lines: string[] = [];
      const say = (line: string) => void lines.push(line);
      const exitCode = await runCommand([...args], { env, say, complain: say });
      return { exitCode, lines, text: lines.join('\n') };
    },
    close: async () => {
      await domain.close();
      await database.release();
    },
  };
}
