import { v7 as uuidv7 } from 'uuid';
import type { NewRule, RuleTerms } from '../../src/index.js';
import { type Books, CLIENT } from './books.js';

export const KEY = 'rk_test_rules';
export const VIEWER = { clientId: CLIENT, accountPatterns: ['%'] };
export const usd = (amountMinor: bigint) => ({ amountMinor, currency: 'USD' });

export const terms = (over: Partial<RuleTerms> = {}): RuleTerms => ({
  balance: 'available',
  belowMinor: 1_000n,
  recharge: { upToMinor: 5_000n },
  caps: {
    perRechargeMinor: 5_000n,
    perDayMinor: 20_000n,
    perMonthMinor: 100_000n,
    timesPerDay: null,
    timesPerMonth: null,
  },
  cooldownSeconds: 0,
  canaryMinor: null,
  runwayDays: null,
  mode: 'execute',
  quietHours: null,
  timeZone: 'UTC',
  expiresAt: null,
  dormantAfterDays: null,
  ...over,
});

/** A rule on the wallet of an account, which collects by the sandbox. */
export const newRule = (over: Partial<NewRule> = {}): NewRule => ({
  id: uuidv7(),
  clientId: CLIENT,
  keyId: KEY,
  actor: 'books',
  idempotencyKey: null,
  accountId: 'acct-1',
  currency: 'USD',
  watch: 'wallet',
  terms: terms(),
  recharge: {
    kind: 'collect',
    funding: 'wallet',
    paymentMethod: 'sandbox',
    destination: 'wallet',
    metadata: {},
  },
  ...over,
});

/** The key that the rules of `newRule` were agreed with. */
export const KEY_ROW = `insert into api_key (id, client_id, secret_hash, scopes, accounts)
  values ('${KEY}', '${CLIENT}', '\\x00', '{rules:write}', '{*}')`;

/** A delivery to a cloud account that the house pays. */
export const toCloud: NewRule['recharge'] = {
  ...{ kind: 'deliver', funding: 'house', paymentMethod: 'fund_account', destination: 'cloud' },
  metadata: {},
};

/** Lets an account be paid at this fund account. */
export const paysTo = ({ domain }: Books, accountId: string, to: string) =>
  domain.payees.set(
    { accountId, provider: 'alibaba_cloud', providerAccount: 'main', to, from: null, currency: 'USD' },
    'books',
  );
