import { z } from 'zod';
import { id, list, words } from '../http/schema-pieces.js';
import { Recharge } from '../recharges/schemas.js';

const [recharge] = Recharge.meta()!.examples as readonly Readonly<Record<string, unknown>>[];
const example = {
  ...recharge,
  amount: 1000,
  orderReference: null,
  kind: 'refund',
  refundOf: '01a2122d-0000-7000-8000-1ae329a0e10b',
  reason: 'ordered twice',
};

export const Refund = Recharge.extend({
  kind: z.literal('refund').meta({ description: 'Always `refund`' }),
  refundOf: id('Id of the recharge that is paid back'),
  reason: words('Why it is refunded, as sent'),
}).meta({ description: 'One refund.', xml: { name: 'refund' }, examples: [example] });

export const Refunds = z.strictObject({ data: list(Refund, 'The refunds, newest first') }).meta({
  description: 'The refunds of one recharge.',
  xml: { name: 'refunds' },
  examples: [{ data: [example] }],
});
