import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openProviderMetrics } from '@replenish/assembly';
import type { QueryOutcome } from '@replenish/providers';
import { openRegistry } from '@replenish/runtime';
import { openWorkerBooks, RECONCILE_AFTER_MS, type WorkerBooks } from '@replenish/testing';
import { asker } from '../src/asker.js';
import { answering, found, type Wishes } from './support/answering-provider.js';

let books: WorkerBooks;
let metrics: ReturnType<typeof openProviderMetrics>;
beforeAll(async () => {
  books = await openWorkerBooks();
  metrics = openProviderMetrics({ registry: openRegistry('reconciliation-worker'), log: books.log });
});
afterAll(() => books.close());

function openAsker(outcome: QueryOutcome, wishes: Wishes = {}) {
  const { asked, provider } = answering(outcome, wishes);
  const queues = { hint: async () => true };
  return {
    asked,
    ask: asker({ domain: books.domain, queues, accounts: [provider], log: books.log, metrics }),
  };
}

/** Creates a recharge that the provider accepted an hour ago. */
async function accepted(): Promise<string> {
  const id = await books.recharged({}, 'submit', 'accepted');
  await books.rows(
    `update provider_call set started_at = started_at - interval '1 hour' where transaction_id = $1`,
    [id],
  );
  return id;
}

const dueInUnits = async (id: string): Promise<number> => {
  const [row] = await books.rows<{ ms: number }>(
    'select (extract(epoch from due_at - now()) * 1000)::float8 as ms from recharge_transaction where id = $1',
    [id],
  );
  return Math.round(row!.ms / RECONCILE_AFTER_MS);
};

test.each([
  ['an unreachable provider is queried at a constant gap', 'unreachable', [1, 1, 1, 1]],
  ['a provider that limits the rate is queried at growing gaps', 'rate_limited', [1, 2, 4, 8]],
] as const)('%s', async (_, cause, gaps) => {
  const id = await accepted();
  const { ask } = openAsker({ kind: 'not_executed', cause });
  const measuredGaps: number[] = [];
  for (let n = 0; n < gaps.length; n++) {
    await ask(id);
    measuredGaps.push(await dueInUnits(id));
  }
  expect(measuredGaps).toEqual(gaps);
});

test('a recharge is queried once at a time, however many jobs name it', async () => {
  const id = await accepted();
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { asked, ask } = openAsker(found('pending'), { meanwhile: () => held });
  const questions = Array.from({ length: 10 }, () => ask(id));
  await Promise.all(questions.slice(1));
  release();
  await Promise.all(questions);
  await ask(id);
  expect(asked).toEqual([id, id]);
});
