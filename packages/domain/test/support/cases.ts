import { v7 as uuidv7 } from 'uuid';
import type { Domain, NewRecharge, RechargeReport, ResolutionAsk, Verb } from '../../src/index.js';
import { type Books, CLIENT, recharged, reportOf } from './books.js';

type Reported = readonly [RechargeReport['news'], Partial<RechargeReport>?];

export const USD = (amountMinor: bigint) => ({ amountMinor, currency: 'USD' });
export const evidence = { statement: 'line 7' };
export const refunding = () => true;
export const viewer = { clientId: CLIENT, accountPatterns: ['%'] };

/** Reports that end with late money. */
export const late: readonly Reported[] = [
  ['submit', { source: 'submission' }],
  ['declined'],
  ['settled', { providerOrderId: 'order-1' }],
];

/** Reports that end with an order that the provider does not find any more. */
export const absent: readonly Reported[] = [
  ['submit', { source: 'submission' }],
  ['accepted', { providerOrderId: 'order-1' }],
  ['unknown', { source: 'poll', doubt: 'absent_order' }],
];

/** A request to resolve a case, by a key that has the right to. */
export const ask = (caseId: string, verb: Verb, over: Partial<ResolutionAsk> = {}): ResolutionAsk => ({
  ...{ caseId, verb, reason: 'as tested', evidence, actor: 'tester', role: 'client', viewer },
  idempotencyKey: uuidv7(),
  ...over,
});

/** The order of a recharge by a name that its reports have in common. No other recharge has this order. */
export const orderOf = (id: string, name: string): string => `${name} of ${id}`;
const ownOrder = (id: string, { providerOrderId }: Partial<RechargeReport>) =>
  providerOrderId == null ? {} : { providerOrderId: orderOf(id, providerOrderId) };

/** Steps of tests about cases. */
export const caseSteps = ({ domain, rows }: Pick<Books, 'domain' | 'rows'>) => {
  const report = (id: string, news: RechargeReport['news'], over: Partial<RechargeReport> = {}) =>
    domain.applyNews(reportOf(id, news, { source: 'webhook', ...over, ...ownOrder(id, over) }));
  return {
    report,
    /** Reports that leave a recharge with an open case. Returns the recharge and its newest open case. */
    withCase: async (over: Partial<NewRecharge>, ...reports: readonly Reported[]) => {
      const id = await recharged(domain, { amountMinor: 100n, ...over });
      for (const [news, said] of reports) await report(id, news, said);
      const filter = { viewer: null, status: 'open', transactionId: id, limit: 1 } as const;
      const [newest] = (await domain.cases.list(filter, refunding)).rows;
      return { id, caseId: newest!.id };
    },
    resolve: (caseId: string, verb: Verb, over: Partial<ResolutionAsk> = {}, by: Domain = domain) =>
      by.cases.resolve(ask(caseId, verb, over), refunding),
    one: (id: string) => domain.cases.one(id, null, refunding),
    balance: async (accountId: string) => {
      const [row] = await domain.balances.of(accountId, 'USD');
      return row ? [row.availableMinor, row.frozenMinor] : [0n, 0n];
    },
    slots: async (id: string) => {
      const found = await rows<{ slot: string }>(
        'select slot from report.postings where transaction_id = $1',
        [id],
      );
      return found.map(({ slot }) => slot).toSorted();
    },
    lastTransition: async (id: string) => {
      const [last] = await rows(
        `select news, verdict, from_state, to_state, source, reason
         from transition where transaction_id = $1 order by seq desc limit 1`,
        [id],
      );
      return last;
    },
  };
};
