import { z } from 'zod';
import { currencyCode, orNull, time, words } from '../http/schema-pieces.js';

export const Payee = z
  .strictObject({
    accountId: words('The account'),
    provider: words('The provider of the cloud account'),
    providerAccount: words('The name of our account at the provider that pays'),
    to: words('The account at the provider that gets the money'),
    from: orNull('The account at the provider that pays. Null: the provider has no accounts that pay'),
    currency: currencyCode,
    approvalAbove: z.record(z.string(), z.int()).meta({
      description: 'Limits per currency, in minor units. Recharges strictly above them wait for an approval',
    }),
    updatedAt: time('When it was set'),
  })
  .meta({
    description: 'Where the money of an account is delivered.',
    xml: { name: 'payee' },
    examples: [
      {
        accountId: 'acct-1001',
        provider: 'alibaba_cloud',
        providerAccount: 'main',
        to: 'fa-customer-7',
        from: 'fa-main',
        currency: 'CNY',
        approvalAbove: { CNY: 100000 },
        updatedAt: '2026-11-21T22:00:00.000Z',
      },
    ],
  });
