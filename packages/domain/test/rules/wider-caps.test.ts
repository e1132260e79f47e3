import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import type { CapLimits, NewRule, WiderLimits } from '../../src/index.js';
import { countersOf, readCounters } from '../../src/store/rules/look/counters.js';
import { type Books, deposit, OTHER_CLIENT, openBooks, reportOf, times } from '../support/books.js';
import { KEY, KEY_ROW, newRule, terms } from '../support/rules.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
  await books.rows(KEY_ROW);
  await books.rows(
    `insert into api_key (id, client_id, secret_hash, scopes, accounts)
    values ('rk_test_other', $1, '\\x00', '{rules:write}', '{*}')`,
    [OTHER_CLIENT],
  );
  await books.domain.notices.openChannels(['slack']);
});
afterEach(async () => {
  await books.rows('delete from rule_counter');
  await books.rows('delete from notice');
  await books.rows(`update api_key set ceilings = '{}'`);
});
afterAll(() => books.close());

const route = (paymentMethod = 'sandbox') => ({ provider: paymentMethod, providerAccount: 'main' });
const NO_LIMIT = { perDayMinor: null, perMonthMinor: null, timesPerDay: null, timesPerMonth: null };
const usd = (limits: Partial<CapLimits>) => ({ USD: { ...NO_LIMIT, ...limits } });
/** A process of its own with caps over many rules. */
const under = (ruleCaps: WiderLimits, ruleClock?: () => Date) =>
  books.open({ ruleCaps, ...(ruleClock && { ruleClock }) });

/** Makes a rule on an empty wallet. Each recharge of it is 5,000 minor units. */
async function ruled(over: Partial<NewRule> = {}): Promise<string> {
  const made = await books.domain.rules.create(newRule({ accountId: `acct-${uuidv7()}`, ...over }));
  if (!made.ok) throw new Error(made.problem);
  return made.rule.id;
}
const fixed = { terms: terms({ recharge: { amountMinor: 5_000n } }) };
const theirs = { clientId: OTHER_CLIENT, keyId: 'rk_test_other' };

async function decided(domain: Books['domain'], id: string) {
  const looked = await domain.rules.look(id, route);
  return looked!.decision.because;
}

describe('a cap holds back', () => {
  test('what the rules of one client create together, and no other client', async () => {
    const domain = under({ owner: usd({ perDayMinor: 9_999n }) });
    expect(await decided(domain, await ruled(fixed))).toBe('BELOW_THRESHOLD');
    expect(await decided(domain, await ruled(fixed))).toBe('OWNER_CAP');
    expect(await decided(domain, await ruled({ ...fixed, ...theirs }))).toBe('BELOW_THRESHOLD');
  });

  test('what one account pays for, and not what another pays', async () => {
    const domain = under({ source: usd({ timesPerMonth: 1 }) });
    expect(await decided(domain, await ruled(fixed))).toBe('BELOW_THRESHOLD');
    expect(await decided(domain, await ruled({ ...fixed, ...theirs }))).toBe('SOURCE_CAP');
    const recharge = { ...newRule().recharge, paymentMethod: 'stripe' };
    expect(await decided(domain, await ruled({ ...fixed, recharge }))).toBe('BELOW_THRESHOLD');
  });

  test('what all rules create, and a smaller recharge that fits is made', async () => {
    const domain = under({ fleet: usd({ perMonthMinor: 7_000n }) });
    expect(await decided(domain, await ruled(fixed))).toBe('BELOW_THRESHOLD');
    expect(await decided(domain, await ruled({ ...fixed, ...theirs }))).toBe('FLEET_CAP');
    const looked = await domain.rules.look(await ruled(theirs), route);
    expect(looked!.decision).toMatchObject({ because: 'BELOW_THRESHOLD', amountMinor: 2_000n });
  });

  test('a currency that a cap does not name', async () => {
    const domain = under({ fleet: { CNY: { ...NO_LIMIT, perDayMinor: 9_000n } } });
    expect(await decided(domain, await ruled())).toBe('FLEET_CAP');
  });

  test('a recharge also where an earlier one failed, because it was created', async () => {
    const domain = under({ owner: usd({ timesPerDay: 1 }) });
    const looked = await domain.rules.look(await ruled(), route);
    for (const news of ['submit', 'declined'] as const)
      await domain.applyNews(reportOf(looked!.decision.transactionId!, news));
    expect(await decided(domain, await ruled())).toBe('OWNER_CAP');
  });

  test('until its window ends, and then the rule decides again by itself', async () => {
    let now = new Date('2026-11-30T22:00:00Z');
    const domain = under(
      { fleet: usd({ timesPerDay: 1 }), owner: usd({ perMonthMinor: 8_000n }) },
      () => now,
    );
    const made = await domain.rules.create(newRule({ accountId: `acct-${uuidv7()}`, ...fixed }));
    const other = await domain.rules.create(newRule({ accountId: `acct-${uuidv7()}`, ...fixed }));
    if (!made.ok || !other.ok) throw new Error('not made');
    expect(await decided(domain, made.rule.id)).toBe('BELOW_THRESHOLD');
    const held = await domain.rules.look(other.rule.id, route);
    expect(held!.decision).toMatchObject({
      ...{ because: 'FLEET_CAP', amountMinor: 5_000n },
      numbers: { cap: 'timesPerDay', until: '2026-12-01T22:15:00.000Z' },
    });
    now = new Date('2026-12-01T22:14:59Z');
    expect(await decided(domain, other.rule.id)).toBe('FLEET_CAP');
    now = new Date('2026-12-01T22:15:00Z');
    expect(await decided(domain, other.rule.id)).toBe('BELOW_THRESHOLD');
  });
});

test('of rules that decide at once only as many recharge as the caps leave, and none deadlocks', async () => {
  await books.rows(`update api_key set ceilings = '{"USD": {"dayMinor": "900000"}}'`);
  const caps = { owner: usd({ perDayMinor: 29_999n }), fleet: usd({ timesPerDay: 8 }) };
  const domains = times(4, () => under(caps));
  const ids = [...(await ruledMany(12, {})), ...(await ruledMany(12, theirs))];
  const reasons = await Promise.all(ids.map((id, nth) => decided(domains[nth % 4]!, id)));
  expect(reasons.filter((reason) => reason === 'BELOW_THRESHOLD')).toHaveLength(8);
  const [sum] = await books.rows(
    `select max(month_minor)::int as most, sum(month_times) filter (where name = 'fleet')::int as times
    from rule_counter where name like 'owner%' or name = 'fleet'`,
  );
  expect(sum).toEqual({ most: 40_000, times: 8 });
  const owners = await books.rows<{ minor: number }>(
    `select month_minor::int as minor from rule_counter where name like 'owner%'`,
  );
  for (const { minor } of owners) expect(minor).toBeLessThanOrEqual(29_999);
});

const ruledMany = (count: number, over: Partial<NewRule>) =>
  Promise.all(times(count, () => ruled({ ...fixed, ...over })));

test('deliveries from one wallet that decide at once under all caps do not deadlock', async () => {
  await books.rows(`update api_key set ceilings = '{"USD": {"dayMinor": "900000"}}' where id = $1`, [KEY]);
  const accountId = `acct-${uuidv7()}`;
  await deposit(books.domain, accountId, 500n);
  const recharge = { ...newRule().recharge, kind: 'deliver', paymentMethod: 'sandbox' } as const;
  const ids = await Promise.all(times(12, () => ruled({ accountId, recharge, ...fixed })));
  const domains = times(3, () => under({ owner: usd({ timesPerDay: 5 }) }));
  const reasons = await Promise.all(ids.map((id, nth) => decided(domains[nth % 3]!, id)));
  expect(new Set(reasons)).toEqual(new Set(['INSUFFICIENT_BALANCE']));
});

describe('people are told', () => {
  const told = async () => {
    const rows = await books.rows<{ content: Record<string, string> }>(
      `select content from notice where kind = 'rule_cap' order by at, id`,
    );
    return rows
      .map(({ content }) => content)
      .filter(({ scope }) => scope !== undefined)
      .map(({ scope, cap, percent, used, limit }) => [scope, cap, percent, used, limit]);
  };

  test('at 80, 90 and 100 percent, once per window, whichever rule passes the mark', async () => {
    const domain = under({ fleet: usd({ perDayMinor: 20_000n }) });
    const create = async (amountMinor: bigint) => {
      const of = terms({ belowMinor: amountMinor, recharge: { amountMinor } });
      expect(await decided(domain, await ruled({ terms: of }))).toBe('BELOW_THRESHOLD');
    };
    for (const amount of [5_000n, 5_000n, 5_000n]) await create(amount);
    expect(await told()).toEqual([]);
    await create(1_000n);
    await create(500n);
    await create(1_600n);
    await create(1_900n);
    expect(await told()).toEqual([
      ['fleet', 'perDayMinor', '80', '16000', '20000'],
      ['fleet', 'perDayMinor', '90', '18100', '20000'],
      ['fleet', 'perDayMinor', '100', '20000', '20000'],
    ]);
  });

  test('of a block once, also when many rules are held back at once', async () => {
    const domain = under({ fleet: usd({ timesPerDay: 9, perDayMinor: 9_000n }) });
    await decided(domain, await ruled(fixed));
    const domains = times(3, () => under({ fleet: usd({ timesPerDay: 9, perDayMinor: 9_000n }) }));
    const ids = await ruledMany(9, {});
    await Promise.all(ids.map((id, nth) => decided(domains[nth % 3]!, id)));
    expect(await told()).toEqual([['fleet', 'perDayMinor', '100', '5000', '9000']]);
  });
});

test('the counters of a recharge are found by their names', async () => {
  const { text, values } = readCounters(countersOf(uuidv7(), 'sandbox/main', 'USD', new Date()));
  await books.rows(
    `insert into rule_counter (name, currency)
    select 'owner ' || gen_random_uuid(), 'USD' from generate_series(1, 2000)`,
  );
  await books.rows('analyze rule_counter');
  const plan = await books.rows<{ 'QUERY PLAN': string }>(`explain ${text}`, [...values]);
  const lines = plan.map((line) => line['QUERY PLAN']).join('\n');
  expect(lines).toContain('rule_counter_pkey');
  expect(lines).not.toContain('Seq Scan');
});
