import { newRecharge } from '@replenish/testing';
import type { Books } from './books.js';

type Delivery = Readonly<{ to?: string; amountMinor?: bigint; from?: string | null }>;

/** Creates deliveries to Alibaba Cloud that the house pays, in the order of their ids. They are due in an hour. */
export async function newDeliveries(books: Books, deliveries: readonly Delivery[]): Promise<string[]> {
  const ids: string[] = [];
  for (const { to = 'fa-1', amountMinor = 100n, from = null } of deliveries) {
    const ask = newRecharge({ provider: 'alibaba_cloud', currency: 'CNY', amountMinor });
    const created = await books.domain.createRecharge(ask);
    if (!created.ok) throw new Error(created.problem);
    ids.push(ask.id);
    const payee = JSON.stringify({ provider: 'alibaba_cloud', providerAccount: 'main', from, to });
    // The terms of a stored recharge are guarded by a trigger, which is off in this role.
    await books.rows(`
      begin;
      set local session_replication_role = replica;
      update recharge_transaction
      set kind = 'deliver', funding = 'house', lane = 'alibaba_cloud:main:${to}', payee = '${payee}',
        due_at = now() + interval '1 hour'
      where id = '${ask.id}';
      commit`);
  }
  return ids;
}
