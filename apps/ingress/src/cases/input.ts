import { verbs } from '@replenish/domain';
import { z } from 'zod';
import { isInexact } from '../input/bodies/json-body.js';
import { cursor } from '../input/cursor.js';
import { pageLimit, text } from '../input/fields.js';

const uuid = z
  .string()
  .regex(/^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/, 'must be a transaction id');

export const CaseQuery = z.strictObject({
  status: z.enum(['open', 'closed']).optional().meta({ description: 'Only with this status' }),
  kind: z
    .string()
    .regex(/^[a-z_]{1,64}$/, 'must be a kind of case')
    .optional()
    .meta({ description: 'Only of this kind, such as `wrong_amount`' }),
  transactionId: uuid.optional().meta({ description: 'Only of this recharge or refund' }),
  limit: pageLimit(20),
  cursor: cursor.optional(),
});

/** The body of POST /v1/cases/{caseId}/resolutions. */
export const ResolutionInput = z
  .strictObject({
    verb: z.enum(verbs).meta({ description: 'The decision: one of the `verbs` of the case' }),
    reason: text(500).meta({
      description: 'Why it is decided so, in your own words',
      examples: ['the bank statement shows the money'],
    }),
    evidence: z
      .record(z.string(), z.unknown())
      .refine((given) => Object.keys(given).length > 0, 'must have a field')
      .transform((given) => plain(given) as Record<string, unknown>)
      .nullish()
      .meta({
        type: 'object',
        description: 'What shows it, in fields of your own. Needed for `adopt`, `fail` and `resubmit`',
        examples: [{ statement: '2026-11', line: 7 }],
      }),
  })
  .meta({ description: 'A decision about a case.', xml: { name: 'resolution' } });

/** The same value, with each number that a float would change as a string of its digits. */
function plain(value: unknown): unknown {
  if (isInexact(value)) return value.toString();
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(part)]));
}
