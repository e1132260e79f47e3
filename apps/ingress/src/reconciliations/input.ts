import { z } from 'zod';
import { cursor } from '../input/cursor.js';
import { pageLimit, timestamp } from '../input/fields.js';

const name = z.string().regex(/^[a-z0-9_.-]{1,64}$/i, 'must be 1 to 64 letters, digits and . _ -');

const fields = {
  provider: name.meta({ description: 'Whose statement it is', examples: ['sandbox'] }),
  providerAccount: name
    .optional()
    .meta({ description: 'Name of our account at the provider. When it is left out: the default one' }),
  from: timestamp.meta({ description: 'Begin of the period (RFC 3339)', examples: ['2026-11-01T00:00:00Z'] }),
  to: timestamp.meta({
    description: 'End of the period, which is not in it (RFC 3339)',
    examples: ['2026-12-01T00:00:00Z'],
  }),
};

const DAY_MS = 86_400_000;
const DAYS_MAX = 366;

/** The body of POST /v1/reconciliations, or its query where the body is CSV. */
export const ReconciliationInput = z
  .strictObject(fields)
  .refine(({ from, to }) => new Date(from) < new Date(to), { path: ['to'], error: 'must be after `from`' })
  .refine(({ from, to }) => Date.parse(to) - Date.parse(from) <= DAYS_MAX * DAY_MS, {
    path: ['to'],
    error: `must be within ${DAYS_MAX} days of \`from\``,
  })
  .meta({
    description: "The comparison of a provider's statement with the books",
    xml: { name: 'reconciliation' },
  });

/** With a body in CSV the query says whose statement it is. */
export const StatementQuery = z.strictObject({
  provider: fields.provider
    .optional()
    .meta({ description: 'Needed with a body in CSV: whose statement it is' }),
  providerAccount: fields.providerAccount,
  from: fields.from.optional().meta({ description: 'Needed with a body in CSV: begin of the period' }),
  to: fields.to
    .optional()
    .meta({ description: 'Needed with a body in CSV: end of the period, which is not in it' }),
});

export const RunQuery = z.strictObject({
  provider: name.optional().meta({ description: 'Only of this provider' }),
  status: z.enum(['running', 'finished', 'failed']).optional().meta({ description: 'Only with this status' }),
  limit: pageLimit(20),
  cursor: cursor.optional(),
});
