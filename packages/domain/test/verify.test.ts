import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execute } from '@replenish/testing';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { invariantNames, openDomain } from '../src/index.js';
import { type Books, deposit, newRecharge, openBooks, recharged, told } from './books.js';

const { TEST_POSTGRES_URL: server = '' } = process.env;

let books: Books;
let healthy: URL;
beforeAll(async () => {
  books = await openBooks();
  healthy = new URL(books.url);
  await mixedTraffic(books);
  await books.closeDomains();
});
afterAll(() => books.close());

/** Every kind of recharge in every state, late money, a conflict, events processed, open and unmatched. */
async function mixedTraffic({ domain }: Books): Promise<void> {
  await deposit(domain, 'acct-1', 10_000n);
  for (const kind of ['collect', 'deliver'] as const) {
    const some = { kind, amountMinor: 100n } as const;
    const labelled = (orderReference: string) => ({ ...some, orderReference: `${kind} ${orderReference}` });
    await recharged(domain, labelled('created'));
    await recharged(domain, labelled('submitted'), 'submit');
    await recharged(domain, labelled('pending'), 'submit', 'accepted');
    await recharged(domain, labelled('succeeded'), 'submit', 'accepted', 'settled');
    await recharged(domain, labelled('failed'), 'submit', 'declined');
    await recharged(domain, labelled('canceled'), 'withdraw');
    await recharged(domain, labelled('late'), 'submit', 'declined', 'settled');
    await recharged(domain, labelled('contradicted'), 'submit', 'settled', 'declined');
    await domain.createRecharge(newRecharge({ ...some, kind: 'deliver', amountMinor: 1_000_000n }));
  }
  const resent = await recharged(domain, {}, 'submit');
  await domain.applyNews(told(resent, 'unknown', { source: 'poll', nextStep: 'submit' }));
  await domain.applyNews(told(resent, 'submit'));
  const [processed, open, lost] = [uuidv7(), uuidv7(), uuidv7()];
  for (const id of [processed, open, lost]) {
    await domain.inbox.keep({
      id,
      provider: 'sandbox',
      eventId: id,
      rawBody: Buffer.from(id),
      correlationId: 'c',
    });
  }
  await domain.applyNews(told(resent, 'settled', { source: 'webhook', eventId: processed }));
  await domain.inbox.fileUnmatched((await domain.inbox.read(lost))!, {});
}

const one = (label: string): string =>
  `(select id from recharge_transaction where order_reference = '${label}')`;

/**
 * What breaks each invariant, and nothing else. The superuser's session runs no triggers and asks no foreign keys;
 * where a constraint would still refuse, it is dropped first: the invariant is what is left when a migration loses it.
 */
const corruptions: [invariant: string, how: string, sql: string][] = [
  [
    'one_transaction_a_key',
    'two requests with one key',
    `drop index recharge_request_client_id_idempotency_key_key;
     insert into recharge_request select '00000000-0000-4000-8000-000000000001', client_id, idempotency_key,
       fingerprint, metadata, product_type, plan_id, requested_at, correlation_id from recharge_request
       where transaction_id = ${one('collect created')};
     insert into recharge_transaction (id, client_id, account_id, kind, state, amount_minor, currency, payment_method,
         provider, next_step, due_at)
       select '00000000-0000-4000-8000-000000000001', client_id, account_id, kind, state, amount_minor, currency,
         payment_method, provider, next_step, due_at from recharge_transaction where id = ${one('collect created')}`,
  ],
  [
    'request_and_transaction',
    'a request that is gone',
    `delete from recharge_request where transaction_id = ${one('collect created')}`,
  ],
  [
    'request_and_transaction',
    'a transaction that is gone',
    `delete from recharge_transaction where id = ${one('collect created')}`,
  ],
  [
    'books_close',
    'a wallet with a cent too many',
    `update ledger_account set balance_minor = balance_minor + 1 where name = 'wallet:acct-1:available'`,
  ],
  [
    'books_close',
    'an entry of another amount',
    `update ledger_entry set amount_minor = amount_minor + 1 where credit_account = 'wallet:acct-1:available'
       and transaction_id = ${one('deliver failed')}`,
  ],
  [
    'known_accounts',
    'an account that left the chart',
    `delete from ledger_account where name = 'suspense:sandbox'`,
  ],
  [
    'nothing_below_zero',
    'an overdraft that was entered as it should',
    `with j as (insert into ledger_journal (id, transaction_id, slot)
       values (gen_random_uuid(), ${one('collect created')}, 'suspense') returning id, transaction_id)
     insert into ledger_entry (journal_id, transaction_id, debit_account, credit_account, amount_minor, currency)
       select id, transaction_id, 'wallet:broke:available', 'suspense:sandbox', 5, 'USD' from j;
     insert into ledger_account values ('wallet:broke:available', 'USD', -5)`,
  ],
  [
    'effect_matches_state',
    'a recharge of another amount than was posted',
    `update recharge_transaction set amount_minor = amount_minor + 1 where id = ${one('collect succeeded')}`,
  ],
  [
    'effect_matches_state',
    'a settlement that is filed as something else',
    `update ledger_journal set slot = 'suspense' where slot = 'settle' and transaction_id = ${one('deliver succeeded')}`,
  ],
  [
    'effect_matches_state',
    'a settlement of what failed, in two entries',
    `with j as (insert into ledger_journal (id, transaction_id, slot)
       values (gen_random_uuid(), ${one('collect failed')}, 'collect') returning id, transaction_id)
     insert into ledger_entry (journal_id, transaction_id, debit_account, credit_account, amount_minor, currency)
       select id, transaction_id, debit, credit, 100, 'USD' from j, (values
         ('suspense:sandbox', 'provider:sandbox:clearing'), ('provider:sandbox:clearing', 'suspense:sandbox'))
         as e(debit, credit)`,
  ],
  [
    'hold_given_back',
    'a reversal that is filed as something else',
    `update ledger_journal set slot = 'suspense' where slot = 'reverse' and transaction_id = ${one('deliver failed')}`,
  ],
  [
    'frozen_is_unfinished',
    'a hold that belongs to no delivery',
    `update recharge_transaction set kind = 'collect' where id = ${one('deliver created')}`,
  ],
  [
    'legal_chain',
    'a transition that is gone',
    `delete from transition where seq = 1 and transaction_id = ${one('collect succeeded')}`,
  ],
  [
    'legal_chain',
    'a transition that no grid allows',
    `update transition set news = 'accepted', to_state = 'FAILED' where seq = 1
       and transaction_id = ${one('collect pending')};
     update transition set from_state = 'FAILED' where seq = 2 and transaction_id = ${one('collect pending')}`,
  ],
  [
    'state_is_last_transition',
    'a state that nobody reported',
    `update recharge_transaction set state = 'SUBMITTED' where id = ${one('collect pending')}`,
  ],
  [
    'nothing_forgotten',
    'a recharge without a due time',
    `alter table recharge_transaction drop constraint recharge_transaction_never_forgotten;
     update recharge_transaction set due_at = null where id = ${one('collect submitted')}`,
  ],
  [
    'nothing_forgotten',
    'an event without a due time',
    `alter table webhook_event drop constraint webhook_event_never_forgotten;
     update webhook_event set due_at = null where processed_at is null`,
  ],
  [
    'intent_before_effect',
    'a submit that is nowhere on record',
    `delete from provider_call where transaction_id = ${one('collect pending')}`,
  ],
  [
    'conflict_has_case',
    'a conflict that nobody was told of',
    `delete from reconciliation_case where transaction_id = ${one('collect contradicted')}`,
  ],
];

/** The invariants that a copy of the healthy books breaks after `sql`. */
async function brokenAfter(sql: string) {
  const copy = new URL(healthy);
  copy.pathname = `${healthy.pathname}_copy`;
  const name = copy.pathname.slice(1);
  await execute(server, `create database ${name} template ${healthy.pathname.slice(1)}`);
  const client = new pg.Client(copy.href);
  const domain = openDomain({ databaseUrl: copy.href, reconcileAfterMs: 1_000, providerTimeoutMs: 1_000 });
  try {
    await client.connect();
    await client.query(`set session_replication_role = replica; ${sql}`);
    return await domain.verify();
  } finally {
    await Promise.all([client.end(), domain.close()]);
    await execute(server, `drop database ${name} with (force)`);
  }
}

test('books after all kinds of traffic hold every invariant', async () => {
  expect(await brokenAfter('select 1')).toEqual([]);
});

describe('a corruption is found, by its own invariant only', () => {
  test.each(corruptions)('%s: %s', async (invariant, _, sql) => {
    const findings = await brokenAfter(sql);
    expect(findings.map((finding) => finding.invariant)).toEqual([invariant]);
    const [{ count, examples, meaning }] = findings as [(typeof findings)[number]];
    expect(examples).toHaveLength(count);
    expect([...examples, meaning]).not.toContain('');
  });

  test('of every invariant there is', () => {
    expect(new Set(corruptions.map(([invariant]) => invariant))).toEqual(new Set(invariantNames));
  });
});
