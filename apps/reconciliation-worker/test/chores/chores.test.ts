import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Logger, openRegistry } from '@replenish/runtime';
import { openWorkerBooks, until, type WorkerBooks } from '@replenish/testing';
import { choresOf, startChores } from '../../src/chores/chores.js';

let books: WorkerBooks;
beforeAll(async () => {
  books = await openWorkerBooks();
});
afterAll(() => books.close());

test('the first run deletes old nonces and security events', async () => {
  await books.rows(
    `insert into nonce (key_id, nonce, seen_at) values ('k', 'old', now() - interval '1 hour'), ('k', 'young', now())`,
  );
  await books.rows(
    `insert into security_event (rule, count, at) values ('amount', 1, now() - interval '8 days')`,
  );
  const chores = choresOf({
    domain: books.domain,
    pruneAfter: { webhookBodiesDays: 7, securityEventsDays: 7, looksDays: 31, callbacksDays: 7 },
    log: books.log,
    registry: openRegistry('reconciliation-worker'),
  });
  const end = startChores(chores, books.log);
  const left = async () => ({
    nonces: await books.rows('select nonce from nonce'),
    events: await books.rows('select rule from security_event'),
  });
  const isOver = async () => {
    const { nonces, events } = await left();
    return nonces.length === 1 && events.length === 0;
  };
  await until(isOver, { limitMs: 20_000 }, 'the end of the first run');
  end();
  expect(await left()).toEqual({ nonces: [{ nonce: 'young' }], events: [] });
});

test('a chore that fails is logged and runs again, and other chores are not affected', async () => {
  const runs = { fails: 0, works: 0 };
  const chores = [
    {
      name: 'fails',
      everyMs: 5,
      run: async () => {
        runs.fails++;
        throw new Error('broken');
      },
    },
    {
      name: 'works',
      everyMs: 5,
      run: async () => {
        runs.works++;
      },
    },
  ];
  const logged: object[] = [];
  const end = startChores(chores, { ...books.log, error: (fields: object) => logged.push(fields) } as Logger);
  await until(() => runs.fails >= 2 && runs.works >= 2, { limitMs: 20_000 }, 'a second run of both');
  end();
  expect(logged[0]).toMatchObject({ chore: 'fails' });
});
