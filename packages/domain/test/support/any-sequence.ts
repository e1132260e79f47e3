import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { v7 as uuidv7 } from 'uuid';
import type { News } from '../../src/core/recharge.js';
import { type Domain, verbs } from '../../src/index.js';
import { type Books, newRecharge, newRefund, reportOf } from './books.js';
import { ask, refunding } from './cases.js';

/** Accounts of one run: `payee` has a payee in CNY, so its collections are whole recharges. */
const accounts = ['plain', 'other', 'payee'] as const;
const amount = fc.integer({ min: 1, max: 300 });
const account = fc.constantFrom(...accounts);
const currency = fc.constantFrom('USD', 'CNY');
/** Which of the recharges or cases that are there, counted from the newest: often one of the newest, or any other. */
const which = fc.oneof(fc.nat(2), fc.nat(1_000));

/** A report names the order that another recharge has, or would have. */
const TAKEN = 'the order of another recharge';

const step = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant('deposit' as const), account, currency, amount }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('collect' as const), account, currency, amount }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('deliver' as const), account, currency, amount }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('refund' as const), which, amount: fc.option(amount) }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('send' as const), which }) },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('hear' as const),
      which,
      news: fc.constantFrom<News>('accepted', 'unknown', 'settled', 'settled', 'declined', 'canceled'),
      about: fc.constantFrom('our order', 'our order', 'another amount', 'another order', 'absence', TAKEN),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('withdraw' as const), which }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('lose' as const), which: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pay late' as const), which: fc.nat(2) }) },
  {
    weight: 10,
    // A verb of null stands for one of the verbs that the case has.
    arbitrary: fc.record({
      do: fc.constant('resolve' as const),
      which,
      verb: fc.option(fc.constantFrom(...verbs), { freq: 2 }),
    }),
  },
);

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;
type About = Extract<Step, { do: 'hear' }>['about'];

/** What producers, providers and operators may do, in any order. */
const sequences = (maxLength: number) => fc.array(step, { minLength: 5, maxLength });

type Known = Readonly<{ id: string; amountMinor: bigint; currency: string }>;

/** Carries a sequence out on accounts of its own, `atOnce` steps at a time. Returns the names of the accounts. */
async function carriedOut(
  books: Books,
  doors: readonly Domain[],
  steps: readonly Step[],
  atOnce: number,
): Promise<string[]> {
  const run = uuidv7();
  const names = accounts.map((of) => `${of}-${run}`);
  await books.domain.payees.set(
    {
      ...{ accountId: `payee-${run}`, provider: 'alibaba_cloud', providerAccount: 'main' },
      ...{ from: null, to: `fa-${run}`, currency: 'CNY' },
    },
    'tester',
  );
  const takers = doors.map((domain) => taker({ ...books, domain }, run, names));
  const [take] = takers as [(typeof takers)[number]];
  for (const [account, currency] of [
    ['plain', 'USD'],
    ['other', 'CNY'],
    ['payee', 'CNY'],
  ] as const)
    await take({ do: 'deposit', account, currency, amount: 1_000 });
  for (let at = 0; at < steps.length; at += atOnce)
    await Promise.all(steps.slice(at, at + atOnce).map((one, n) => takers[n % takers.length]!(one)));
  return names;
}

/** An item of a list, counted from the end of the list. */
const oneOf = <T>(all: readonly T[], at: number): T | undefined =>
  all[all.length - 1 - (at % Math.max(all.length, 1))];

const isNewRequest = (one: Step): one is Extract<Step, { account: unknown }> => 'account' in one;

function taker({ domain, rows }: Books, run: string, names: readonly string[]) {
  return async (one: Step): Promise<void> => {
    if (isNewRequest(one)) return request(one);
    if (one.do === 'resolve') return resolve(one);
    const found = await rows<Known>(
      `select id, amount_minor::bigint as "amountMinor", currency from recharge_transaction
       where account_id = any($1) order by id`,
      [names],
    );
    const recharge = oneOf(found, one.which);
    if (!recharge) return;
    if (one.do === 'refund')
      await domain.createRefund(
        newRefund(recharge.id, { amountMinor: one.amount === null ? null : BigInt(one.amount) }),
      );
    else if (one.do === 'pay late')
      for (const news of ['submit', 'declined', 'settled'] as const)
        await domain.applyNews(heard(recharge, news, 'our order'));
    else if (one.do === 'lose') {
      for (const news of ['submit', 'accepted'] as const)
        await domain.applyNews(heard(recharge, news, 'our order'));
      await domain.applyNews(heard(recharge, 'unknown', 'absence'));
    } else {
      const order = orderNamed(one, recharge, oneOf(found, one.which + 1)!);
      await domain.applyNews({ ...reportBy(one, recharge), ...order });
    }
  };

  async function request(one: Extract<Step, { account: unknown }>): Promise<void> {
    const { currency, amount } = one;
    const terms = { accountId: `${one.account}-${run}`, currency, amountMinor: BigInt(amount) };
    const paid = one.do === 'deliver' ? ({ kind: 'deliver', paymentMethod: 'balance' } as const) : {};
    const made = newRecharge({ ...terms, ...paid });
    const created = await domain.createRecharge(made);
    if (one.do !== 'deposit' || !created.ok) return;
    await domain.applyNews(reportOf(made.id, 'submit'));
    await domain.applyNews(heard(made, 'settled', 'our order'));
  }

  async function resolve({ which: at, verb }: Extract<Step, { do: 'resolve' }>): Promise<void> {
    const open = await rows<{ id: string }>(
      'select id from reconciliation_case where account_id = any($1) and closed_at is null order by id',
      [names],
    );
    const one = oneOf(open, at);
    if (!one) return;
    const offered = (await domain.cases.one(one.id, null, refunding))!.verbs;
    await domain.cases.resolve(ask(one.id, verb ?? offered[at % offered.length]!), refunding);
  }
}

type Report = Extract<Step, { do: 'send' | 'withdraw' | 'hear' }>;

function reportBy(one: Report, recharge: Known) {
  if (one.do === 'send') return reportOf(recharge.id, 'submit');
  if (one.do === 'withdraw') return reportOf(recharge.id, 'withdraw', { source: 'client' });
  return heard(recharge, one.news, one.about);
}

/** The order of another recharge, if the step tells of one. */
const orderNamed = (one: Report, recharge: Known, other: Known) =>
  one.do === 'hear' && one.about === TAKEN && other.id !== recharge.id
    ? { providerOrderId: `order ${other.id}` }
    : {};

/** What the provider says about a recharge, or about an order that differs from it. */
function heard({ id, amountMinor, currency }: Known, news: News, about: About) {
  if (about === 'absence')
    return reportOf(id, news, { source: 'webhook', ...(news === 'unknown' && { doubt: 'absent_order' }) });
  return reportOf(id, news, {
    source: 'webhook',
    providerOrderId: about === 'another order' ? `other ${id}` : `order ${id}`,
    money: { amountMinor: BigInt(amountMinor) + (about === 'another amount' ? 7n : 0n), currency },
  });
}

/**
 * What has to hold of the books at any moment, each as a query for the rows of some accounts that break it. They read the
 * views of finance only, so they do not depend on how the product checks itself.
 */
const rulesOfBooks: Readonly<Record<string, string>> = {
  'a wallet is the sum of its postings': `
    with side as (
      select credit_account as account, currency, amount from report.postings
      where transaction_id in (select transaction_id from report.recharges where account_id = any($1))
      union all
      select debit_account, currency, -amount from report.postings
      where transaction_id in (select transaction_id from report.recharges where account_id = any($1)))
    select account_id, currency, available, frozen from report.wallets wallet
    where account_id = any($1) and (
      available <> coalesce((select sum(amount) from side
        where account = 'wallet:' || account_id || ':available' and side.currency = wallet.currency), 0)
      or frozen <> coalesce((select sum(amount) from side
        where account = 'wallet:' || account_id || ':frozen' and side.currency = wallet.currency), 0))`,
  'a posting moves money between two accounts': `
    select * from report.postings where amount <= 0 or debit_account = credit_account`,
  'a recharge has one settlement exactly if it succeeded': `
    select transaction_id, state from report.recharges recharge
    where account_id = any($1) and (state = 'SUCCEEDED')::int <> (
      select count(distinct journal_id) from report.postings posting
      where posting.transaction_id = recharge.transaction_id and slot in ('collect', 'settle', 'adopt'))`,
  'an order is the order of one recharge': `
    select provider_order_id from report.recharges
    where account_id = any($1) and kind <> 'refund' and provider_order_id is not null
    group by provider, provider_order_id having count(*) > 1`,
  'a hold is given back exactly if its recharge failed': `
    select transaction_id, state from report.recharges recharge
    where account_id = any($1) and kind in ('deliver', 'refund') and funding = 'wallet'
      and (state in ('FAILED', 'CANCELED')) <> exists (
        select from report.postings posting
        where posting.transaction_id = recharge.transaction_id and slot = 'reverse')
      and not exists (select from report.postings adopted
        where adopted.transaction_id = recharge.transaction_id and slot = 'adopt')`,
  'frozen money is unfinished money, and nothing is below zero': `
    select account_id, currency, available, frozen from report.wallets wallet
    where account_id = any($1) and (available < 0 or frozen < 0 or frozen <> coalesce((
      select sum(amount) from report.recharges recharge
      where recharge.account_id = wallet.account_id and recharge.currency = wallet.currency
        and kind in ('deliver', 'refund') and funding = 'wallet'
        and state not in ('SUCCEEDED', 'FAILED', 'CANCELED')), 0))`,
  'transitions are a chain, and money that is final comes back only by a case with evidence': `
    select * from (
      select transaction_id, seq, from_state, to_state, verdict,
        lag(seq, 1, 0) over chain as last_seq, lag(to_state, 1, 'CREATED') over chain as last_state
      from report.transitions
      where transaction_id in (select transaction_id from report.recharges where account_id = any($1))
      window chain as (partition by transaction_id order by seq)) step
    where seq <> last_seq + 1 or from_state <> last_state or (from_state = 'SUCCEEDED' and to_state <> 'SUCCEEDED')
      or (from_state in ('FAILED', 'CANCELED') and to_state <> from_state and not (to_state = 'SUCCEEDED' and exists (
        select from report.cases some_case
        where some_case.transaction_id = step.transaction_id and verb = 'adopt' and evidence ? 'given')))`,
  'money in suspense has an open case, or a refund that returns it': `
    select transaction_id from (
      select coalesce(recharge.refund_of, recharge.transaction_id) as transaction_id, posting.currency,
        sum(case when credit_account like 'suspense:%' then posting.amount else -posting.amount end) as held
      from report.postings posting
      join report.recharges recharge on recharge.transaction_id = posting.transaction_id
      where account_id = any($1) and (credit_account like 'suspense:%' or debit_account like 'suspense:%')
      group by 1, 2) suspended
    where held <> 0 and not exists (
        select from report.cases some_case
        join report.recharges its using (transaction_id)
        where coalesce(its.refund_of, its.transaction_id) = suspended.transaction_id and closed_at is null)
      and not exists (
        select from report.recharges refund
        where refund.refund_of = suspended.transaction_id and refund.funding = 'suspense'
          and refund.state not in ('SUCCEEDED', 'FAILED', 'CANCELED'))`,
};

/** The rules that the books of these accounts break, each with its first rows. */
async function brokenRules({ rows }: Books, names: readonly string[]): Promise<object[]> {
  const broken: object[] = [];
  for (const [rule, sql] of Object.entries(rulesOfBooks)) {
    const found = await rows(sql, sql.includes('$1') ? [names] : []);
    if (found.length > 0) broken.push({ rule, found: found.slice(0, 3) });
  }
  return broken;
}

/**
 * Checks as many sequences as it is told. The seed is printed, and the variable SEED repeats it. A failure names the
 * shortest sequence that fails.
 */
export async function checkSequences(
  books: Books,
  { numRuns, stepsMax, atOnce = 1 }: Readonly<{ numRuns: number; stepsMax: number; atOnce?: number }>,
): Promise<number> {
  const doors = [books.domain, books.open()];
  let taken = 0;
  const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
  process.stderr.write(`seed ${seed}\n`);
  const property = fc.asyncProperty(sequences(stepsMax), async (steps) => {
    const broken = await brokenRules(books, await carriedOut(books, doors, steps, atOnce));
    if (broken.length > 0) throw new Error(JSON.stringify(broken));
    taken++;
  });
  await fc.assert(property, { seed, numRuns, endOnFailure: false });
  return taken;
}
