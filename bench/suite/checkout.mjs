import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { openDomain } from '@replenish/domain';
import { createDatabase, execute } from '@replenish/testing';
import { hold, withPath } from './ground.mjs';

/**
 * One checkout of the product.
 * @typedef {object} Checkout
 * @property dir its root folder
 * @property createDatabase creates a database with the tables of this checkout
 * @property openDomain opens the domain with the code of this checkout
 * @property redisDatabase number of the Redis database that it uses, which is emptied
 */

/** The checkout that contains this file. */
export const here = {
  dir: resolve(import.meta.dirname, '../..'),
  createDatabase,
  openDomain,
  redisDatabase: '15',
};

/**
 * Opens another checkout, which must be built. Its processes run from its folder, on tables from its own migrations.
 */
export async function openCheckout(dir, serverUrl) {
  const face = pathToFileURL(join(resolve(dir), 'packages/domain/dist/index.js')).href;
  const { openDomain } = await import(face);
  const template = `replenish_beside_${process.pid}`;
  await execute(serverUrl, `drop database if exists ${template} with (force)`);
  await execute(serverUrl, `create database ${template}`);
  // The migration runs in a child process, as in the tests. Its schema engine keeps a timer and a session on the
  // template, which must end before the template is copied.
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

/** @throws InvalidRound that names the violated invariants of the books */
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
