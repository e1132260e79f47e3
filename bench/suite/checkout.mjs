import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { openDomain } from '@replenish/domain';
import { createDatabase, execute } from '@replenish/testing';
import { hold, withPath } from './ground.mjs';

/**
 * The product as one checkout has it.
 * @typedef {object} Checkout
 * @property dir its root
 * @property createDatabase a new database with its tables
 * @property openDomain its own way into the books
 * @property redisDatabase which of the sixteen that a Redis has by default is its own; it is emptied
 */

/** The checkout that this file belongs to. */
export const here = {
  dir: resolve(import.meta.dirname, '../..'),
  createDatabase,
  openDomain,
  redisDatabase: '15',
};

/** Another one, built: its processes run from there, on tables that its own migrations make. */
export async function openCheckout(dir, serverUrl) {
  const face = pathToFileURL(join(resolve(dir), 'packages/domain/dist/index.js')).href;
  const { openDomain } = await import(face);
  const template = `replenish_beside_${process.pid}`;
  await execute(serverUrl, `drop database if exists ${template} with (force)`);
  await execute(serverUrl, `create database ${template}`);
  // In a process of its own, like the tests: the schema engine keeps a timer, and a session of the template.
  const script = `await (await import(${JSON.stringify(face)})).migrate({ databaseUrl: process.argv[1] }); process.exit(0)`;
  await promisify(execFile)(process.execPath, [
    ...['--input-type=module', '--eval', script],
    withPath(serverUrl, template),
  ]);
  return {
    dir: resolve(dir),
    openDomain,
    redisDatabase: '14',
    createDatabase: async () => {
      const name = `beside_${randomBytes(6).toString('hex')}`;
      await execute(serverUrl, `create database ${name} template ${template}`);
      const release = () => execute(serverUrl, `drop database if exists ${name} with (force)`);
      return { url: withPath(serverUrl, name), release };
    },
    close: () => execute(serverUrl, `drop database if exists ${template} with (force)`),
  };
}

/** @throws InvalidRound that names the invariants of the books that do not hold. */
export async function verifyBooks(databaseUrl, checkout = here) {
  const domain = checkout.openDomain({
    databaseUrl,
    poolMax: 2,
    reconcileAfterMs: 1_000,
    providerTimeoutMs: 1_000,
  });
  try {
    const findings = await domain.verify();
    hold(findings.length === 0, `the books do not hold: ${JSON.stringify(findings)}`);
  } finally {
    await domain.close();
  }
}
