import { isAccountAtProvider } from '@replenish/domain/rules';
import { deliveringProviders } from '@replenish/providers';
import { z } from 'zod';
import { amountsPerCurrency } from '../input/amount.js';
import { currency, text } from '../input/fields.js';

const atProvider = (description: string) =>
  z
    .string()
    .refine(isAccountAtProvider, 'must be 1 to 64 of A-Z a-z 0-9 . _ : -')
    .meta({ pattern: '^[A-Za-z0-9._:-]{1,64}$', description });

export const PayeeInput = z
  .strictObject({
    provider: z.enum(deliveringProviders).meta({ description: 'The provider of the cloud account' }),
    providerAccount: text(64)
      .optional()
      .meta({
        description:
          'The name of our account at the provider that pays. It may be left out where there is only one',
        examples: ['main'],
      }),
    to: atProvider('The account at the provider that gets the money: a fund account, or a customer'),
    from: atProvider('An account at the provider').nullish().meta({
      description: 'The account at the provider that pays; the configured source when it is left out or null',
    }),
    currency: currency.meta({
      description: 'The currency of the cloud account. Recharges of the account are in it',
    }),
    approvalAbove: amountsPerCurrency(
      'Limits per currency, in minor units. A recharge of the account strictly above its limit waits until a second person approves it; left out: no limit',
    ).optional(),
  })
  .meta({ description: 'Where the money of an account is delivered.', xml: { name: 'payee' } });
