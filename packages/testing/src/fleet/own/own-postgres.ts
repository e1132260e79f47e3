import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedPostgres, openEmbeddedPostgres } from '@replenish/runtime/embedded-postgres';
import type { TestDatabase } from '../database.js';
import { freePort } from '../machine.js';
import { migrateAsOperator } from '../migrate.js';

/**
 * A PostgreSQL server on a fixed port that a test can stop and start while a fleet runs on it. It is durable, unlike
 * the server of the other tests, because an immediate stop must lose no commit.
 */
export class OwnPostgres {
  readonly #dir: string;
  readonly #port: number;
  #running: EmbeddedPostgres;

  private constructor(dir: string, port: number, running: EmbeddedPostgres) {
    this.#dir = dir;
    this.#port = port;
    this.#running = running;
  }

  /** Starts the server and migrates its database. */
  static async open(): Promise<OwnPostgres> {
    const dir = mkdtempSync(join(tmpdir(), 'replenish-own-postgres-'));
    const port = await freePort();
    const running = await openEmbeddedPostgres({ dir, port });
    await migrateAsOperator(running.url);
    return new OwnPostgres(dir, port, running);
  }

  get database(): TestDatabase {
    const { url, appUrl } = this.#running;
    return { url, appUrl, release: () => this.close() };
  }

  /**
   * Stops the server and starts it again after `awayMs`. `fast` ends sessions in order. `immediate` is a crash with
   * recovery.
   */
  async restart(mode: 'fast' | 'immediate', awayMs: number): Promise<void> {
    if (mode === 'immediate') {
      process.kill(this.#running.pid, 'SIGQUIT');
      await this.#running.exited;
    } else {
      await this.#running.stop();
    }
    await new Promise((resolve) => setTimeout(resolve, awayMs));
    this.#running = await openEmbeddedPostgres({ dir: this.#dir, port: this.#port });
  }

  async close(): Promise<void> {
    await this.#running.stop();
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
