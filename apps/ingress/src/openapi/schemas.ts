import { z } from 'zod';
import { type Code, codes } from '../http/answers/problem.js';
import { list, words } from '../http/schema-pieces.js';

export const Problem = z
  .strictObject({
    type: words('Address of the page that explains the code'),
    title: words('What the code means, in short'),
    status: z.int().min(400).max(599).meta({ description: 'The HTTP status of the answer' }),
    detail: words('What is wrong with this request, for people. Programs read `code`'),
    code: z
      .enum(Object.keys(codes) as Code[])
      .meta({ description: 'What programs go by; the set is closed' }),
    correlationId: words('Quote it when you ask about the call'),
    errors: list(
      z
        .strictObject({
          path: words('The field, header or parameter at fault; empty for the body as a whole'),
          message: words('What is wrong with it'),
        })
        .meta({ description: 'One fault.' }),
      'Each fault of the request, with `INVALID_ARGUMENT`',
    ).optional(),
  })
  .meta({ description: 'A refusal or an error (RFC 9457).', xml: { name: 'problem' } });
