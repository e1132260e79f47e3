import { z } from 'zod';

export const time = (description: string) =>
  z.iso.datetime().meta({ description: `${description} (RFC 3339, UTC)` });
export const timeOrNull = (description: string) =>
  z.iso
    .datetime()
    .nullable()
    .meta({ description: `${description} (RFC 3339, UTC); null until then` });
export const words = (description: string) => z.string().meta({ description });
export const orNull = (description: string) => z.string().nullable().meta({ description });
export const minor = (description: string) =>
  z
    .int()
    .min(1)
    .max(Number.MAX_SAFE_INTEGER)
    .meta({ description: `${description}, in minor units of the currency` });
// A sum can exceed 2^53. JSON and XML carry all its digits.
export const exactMinor = (description: string) =>
  z.number().meta({
    type: 'integer',
    description: `${description}, in minor units of the currency. It may exceed 2^53: do not read it as a float`,
  });
export const amountOrNull = (description: string) =>
  z
    .number()
    .nullable()
    .meta({
      type: ['integer', 'null'],
      description: `${description}, in minor units; null when it is not known`,
    });
export const count = (description: string) => z.int().min(0).meta({ description });
export const id = (description: string) =>
  z
    .string()
    .regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    .meta({ description });
export const currencyCode = z
  .string()
  .regex(/^[A-Z]{3}$/)
  .meta({ description: 'ISO 4217 code of the currency' });
export const nextCursor = orNull(
  'Pass it as `cursor` to read the next page; null on the last one. A page may hold fewer rows than `limit`, even none, and still have a next one',
);
export const list = <Item extends z.ZodType>(item: Item, description = '') =>
  z
    .array(item.meta({ ...item.meta(), xml: { name: 'item' } }))
    .meta({ xml: { wrapped: true }, ...(description && { description }) });
