import { z } from 'zod';
import { list, nextCursor, orNull, time, words } from '../http/schema-pieces.js';

export const Calls = z
  .strictObject({
    data: list(
      z
        .strictObject({
          callId: words('Id of the row'),
          at: time('When the call arrived'),
          ip: words('Address of the caller'),
          keyId: orNull('The key that was used'),
          method: words('HTTP method'),
          route: words('The route that was called, such as `/v1/recharges/{id}`'),
          params: z
            .record(z.string(), z.unknown())
            .meta({ description: 'Parameters of path, query and body that are kept' }),
          accountId: orNull('The account that was named'),
          status: z.int().meta({ description: 'HTTP status of the answer' }),
          code: orNull('Code of the problem; null when it worked'),
          durationMs: z.number().meta({ description: 'How long it took, in milliseconds' }),
          correlationId: words('Its correlation id'),
        })
        .meta({ description: 'One call.' }),
      'The calls of this page, newest first',
    ),
    nextCursor,
  })
  .meta({
    description: 'A page of calls.',
    xml: { name: 'calls' },
    examples: [
      {
        data: [
          {
            callId: '0190b3a2-7c1e-7d1b-9a55-3f2c8e6d4b11',
            at: '2026-11-21T22:00:00.000Z',
            ip: '192.0.2.7',
            keyId: 'rk_test_0a1b2c3d4e5f607182',
            method: 'POST',
            route: '/v1/recharges',
            params: { accountId: 'acct-1001', amount: 4999 },
            accountId: 'acct-1001',
            status: 202,
            code: null,
            durationMs: 4.2,
            correlationId: '0190b3a2-7c1e-7d1b-9a55-3f2c8e6d4b10',
          },
        ],
        nextCursor: null,
      },
    ],
  });
