import type { Domain } from '@replenish/domain';
import { execute, newRecharge } from '@replenish/testing';
import { v7 as uuidv7 } from 'uuid';
import { type CommandBooks, openCommandBooks } from './command-books.js';

type Terms = Parameters<typeof newRecharge>[0];

/** A recharge about which these reports were made. Returns its id. */
export async function recharged(
  domain: Domain,
  terms: Omit<Terms, 'id'>,
  ...news: readonly ('submit' | 'settled' | 'declined')[]
): Promise<string> {
  const id = uuidv7();
  const created = await domain.createRecharge(newRecharge({ ...terms, id }));
  if (!created.ok) throw new Error(created.problem);
  const report = { transactionId: id, source: 'webhook', reason: 'as tested' } as const;
  for (const one of news)
    await domain.applyNews({
      ...report,
      news: one,
      ...(one === 'settled' && { providerOrderId: `o,"1" ;${id}` }),
    });
  return id;
}

/**
 * Books with what is awkward in a journal: currencies of no, two and three decimals, ids with every character that is
 * allowed, money in suspense, a refund and a hold.
 */
export async function openJournalBooks(): Promise<CommandBooks> {
  const books = await openCommandBooks();
  const { domain } = books;
  const { clientId } = newRecharge({ id: uuidv7() });
  await execute(
    books.databaseUrl,
    `insert into client (id, name, env) values ('${clientId}', 'books', 'test')`,
  );
  for (const [accountId, currency, amountMinor] of [
    ['acct-1001', 'USD', 4_999n],
    ['acct-1001', 'CNY', 1n],
    ['a:b', 'JPY', 500n],
    ['a:b:available', 'JPY', 7n],
    ['-._:x', 'KWD', 1_234_567n],
    ['A-B', 'USD', 9_007_199_254_740_991n],
    ['A--B', 'USD', 20n],
  ] as const)
    await recharged(
      domain,
      { accountId, currency, amountMinor, orderReference: 'PO "7", \\ ; x' },
      'submit',
      'settled',
    );
  await recharged(domain, { accountId: 'late', amountMinor: 5n }, 'submit', 'declined', 'settled');
  const of = await recharged(domain, { accountId: 'back', amountMinor: 300n }, 'submit', 'settled');
  const refund = { id: uuidv7(), of, amountMinor: 120n, reason: 'as tested', correlationId: 'c-1' };
  const made = await domain.createRefund({ ...refund, clientId, idempotencyKey: `refund-${of}` });
  if (!made.ok) throw new Error(made.problem);
  await domain.applyNews({
    transactionId: refund.id,
    news: 'submit',
    source: 'submission',
    reason: 'as tested',
  });
  return books;
}
