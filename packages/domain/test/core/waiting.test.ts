import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createDatabase } from '@replenish/testing';
import pg from 'pg';
import { nextSteps } from '../../src/core/next-step.js';
import { states } from '../../src/core/recharge.js';
import { type Unfinished, waitingReasonOf, waitingReasonOfDelivery } from '../../src/core/waiting/waiting.js';

let client: pg.Client;
let release: () => Promise<unknown>;
beforeAll(async () => {
  const database = await createDatabase();
  release = database.release;
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await release();
});

const cases = [[], ['wrong_amount'], ['unread_event'], ['absent_order', 'unprocessable']];
const notes = [null, { reason: 'LANE' }, { reason: 'SOURCE_FUNDS' }, { reason: 'PROOF' }] as const;
const space: Unfinished[] = states.flatMap((state) =>
  ([null, 'unknown', 'acknowledged'] as const).flatMap((confirmation) =>
    [null, ...nextSteps].flatMap((nextStep) =>
      notes.flatMap((waiting) =>
        [true, false].flatMap((hasAction) =>
          cases.flatMap((openCases) =>
            [true, false].map((isProviderDown) => ({
              ...{ state, confirmation, nextStep, waiting, hasAction, openCases, isProviderDown },
            })),
          ),
        ),
      ),
    ),
  ),
);

test('the database gives the same reason for every combination', async () => {
  const { rows } = await client.query(
    `select n, waiting_reason(state, confirmation, "nextStep", case when waiting <> 'null'::jsonb then waiting end,
        "hasAction", array(select jsonb_array_elements_text("openCases")), "isProviderDown") as reason
      from rows from (jsonb_to_recordset($1::jsonb) as (
        state text, confirmation text, "nextStep" text, waiting jsonb, "hasAction" boolean, "openCases" jsonb,
        "isProviderDown" boolean))
        with ordinality as one(state, confirmation, "nextStep", waiting, "hasAction", "openCases",
          "isProviderDown", n)
      order by n`,
    [JSON.stringify(space)],
  );
  expect(rows.map(({ reason }) => reason)).toEqual(space.map(waitingReasonOf));
  expect(space.length).toBeGreaterThan(1_000);
});

const unfinished: Unfinished = {
  state: 'PENDING_CONFIRMATION',
  confirmation: 'acknowledged',
  nextStep: 'ask',
  waiting: null,
  hasAction: false,
  openCases: [],
  isProviderDown: false,
};

test.each([
  ['nothing, once it succeeded', { state: 'SUCCEEDED' }, null],
  ['nothing, once it failed, also with a case', { state: 'FAILED', openCases: ['late_money'] }, null],
  ['the queue, before it is sent', { state: 'CREATED', nextStep: 'submit', confirmation: null }, 'QUEUE'],
  ['the queue, when it is sent again', { confirmation: 'unknown', nextStep: 'submit' }, 'QUEUE'],
  ['an answer, while it is sent', { state: 'SUBMITTED', confirmation: null }, 'ANSWER'],
  ['an answer, when nobody knows', { confirmation: 'unknown' }, 'ANSWER'],
  ['the provider, which has the order', {}, 'PROVIDER'],
  [
    'its provider to answer again, before it is sent',
    { state: 'CREATED', nextStep: 'submit', isProviderDown: true },
    'PROVIDER_DOWN',
  ],
  [
    'its provider to answer again, when nobody knows',
    { confirmation: 'unknown', isProviderDown: true },
    'PROVIDER_DOWN',
  ],
  [
    'an answer, while a call is in flight',
    { state: 'SUBMITTED', confirmation: null, isProviderDown: true },
    'ANSWER',
  ],
  ['the provider, which has the order, also while it is down', { isProviderDown: true }, 'PROVIDER'],
  ['its payer', { hasAction: true }, 'PAYER'],
  ['its lane', { state: 'CREATED', waiting: { reason: 'LANE' } }, 'LANE'],
  ['a person, before anything else', { waiting: { reason: 'PROOF' }, openCases: ['wrong_amount'] }, 'PERSON'],
  ['the provider, beside a case that stops nothing', { openCases: ['unread_event'] }, 'PROVIDER'],
] as [string, Partial<Unfinished>, string | null][])('a recharge waits for %s', (_, over, reason) => {
  expect(waitingReasonOf({ ...unfinished, ...over })).toBe(reason);
});

test('a collect waits for its delivery to be taken up, and then for what the delivery waits for', () => {
  expect(waitingReasonOfDelivery({ ...unfinished, state: 'CREATED' })).toBe('DELIVERY');
  expect(
    waitingReasonOfDelivery({ ...unfinished, state: 'CREATED', waiting: { reason: 'SOURCE_FUNDS' } }),
  ).toBe('SOURCE_FUNDS');
  expect(waitingReasonOfDelivery({ ...unfinished, state: 'SUCCEEDED' })).toBeNull();
});
