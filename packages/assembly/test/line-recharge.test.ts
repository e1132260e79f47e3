import { expect, test } from '@jest/globals';
import type { PlanLine } from '@replenish/domain';
import { rechargeOfLine } from '../src/plans/line-recharge.js';

const providers = {
  route: () => ({ provider: 'stripe', providerAccount: 'shop' }),
  accounts: () => ['shop', 'market'],
};
const recharge = (changes: Partial<PlanLine>) =>
  rechargeOfLine(
    { providers, newId: () => 'an id' },
    { plan: { id: 'a plan', clientId: 'a client', currency: 'CNY', correlationId: 'c' }, key: null },
    {
      ...{ line: 1, accountId: 'acct-1', amountMinor: 100n, paymentMethod: 'credit_card' },
      ...{ providerAccount: null, destination: null, orderReference: null },
      ...changes,
    },
  );

test('the recharge of a line goes to the account of ours that the line names, else to the default one', () => {
  const named = { provider: 'stripe', providerAccount: 'market', askedAccount: 'market' };
  expect(recharge({ providerAccount: 'market' })).toMatchObject(named);
  expect(recharge({})).toMatchObject({ provider: 'stripe', providerAccount: 'shop' });
  expect(recharge({})).not.toHaveProperty('askedAccount');
});

test('a line whose account of ours is no longer configured gets no recharge', () => {
  expect(recharge({ providerAccount: 'closed' })).toEqual({
    code: 'INVALID_ARGUMENT',
    message: 'providerAccount: is no account of ours at stripe: there is shop, market',
  });
});
