import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type EmbeddedPostgres, openEmbeddedPostgres } from '@replenish/runtime/embedded-postgres';

export type KeptDatabase = Readonly<{
  url: string;
  appUrl: string;
  stop: (limitMs: number) => Promise<void>;
}>;

type DatabaseDeps = Readonly<{
  dir: string;
  /** After this signal is aborted, PostgreSQL is not started again. */
  ending: AbortSignal;
  say: (line: string) => void;
  onGivenUp: (reason: string) => void;
}>;

// Five tries have waits of 0.2, 0.4, 0.8, 1.6 and 3.2 s. Together they are longer than the recovery of a small
// database, and short enough for a person who waits.
const TRIES_MAX = 5;

/**
 * Runs the embedded PostgreSQL and restarts it when it dies. The port stays the same, because the children hold its
 * URL.
 */
export async function keepDatabase({ dir, ending, say, onGivenUp }: DatabaseDeps): Promise<KeptDatabase> {
  const log = join(dir, 'logs', 'postgres.log');
  let postgres = await openEmbeddedPostgres({ dir, log });
  const { url, appUrl } = postgres;
  const port = Number(new URL(url).port);

  async function watch(): Promise<void> {
    while (!ending.aborted) {
      await postgres.exited;
      if (ending.aborted) return;
      say('  postgres               ended, starts again');
      postgres = await reopen(() => openEmbeddedPostgres({ dir, log, port }));
      if (ending.aborted) await postgres.stop(1_000);
      else say(`  postgres               ready  127.0.0.1:${port}`);
    }
  }

  void watch().catch((error: Error) => onGivenUp(`postgres cannot be started again: ${error.message}`));
  say(`  postgres               ready  127.0.0.1:${port}`);
  return {
    url,
    appUrl,
    stop: (limitMs) => postgres.stop(limitMs),
  };
}

async function reopen(open: () => Promise<EmbeddedPostgres>): Promise<EmbeddedPostgres> {
  for (let tries = 1; ; tries++) {
    try {
      return await open();
    } catch (error) {
      if (tries === TRIES_MAX) throw error;
      await sleep(100 * 2 ** tries);
    }
  }
}
