import { z } from 'zod';
import { accountId, pageLimit, text, timestamp } from '../input/fields.js';

export const AuditQuery = z.strictObject({
  key: z
    .string()
    .regex(/^rk_[A-Za-z0-9_]{1,64}$/, 'must be a key id')
    .optional()
    .meta({ description: 'Only with this key' }),
  account: accountId.optional().meta({ description: 'Only of this account' }),
  status: z
    .string()
    .regex(/^[1-5]\d\d$/, 'must be an HTTP status')
    .transform(Number)
    .optional()
    .meta({ type: 'integer', description: 'Only answered with this HTTP status' }),
  correlationId: text(128).optional().meta({ description: 'Only with this correlation id' }),
  from: timestamp.optional().meta({ description: 'Only at this time or later (RFC 3339)' }),
  to: timestamp.optional().meta({ description: 'Only before this time (RFC 3339)' }),
  limit: pageLimit(50),
  cursor: z
    .string()
    .regex(
      /^\d{1,14}\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
      'must be the nextCursor of an earlier page',
    )
    .optional()
    .meta({ description: 'The `nextCursor` of the page before; leave it out for the first page' }),
});
