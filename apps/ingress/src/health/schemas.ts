import { z } from 'zod';

export const Health = z
  .strictObject({
    ok: z.boolean().meta({ description: 'Whether all checks passed' }),
    checks: z.record(z.string(), z.string()).meta({ description: 'Each check: `ok` or `away`' }),
  })
  .meta({
    description: 'Health of one process.',
    examples: [{ ok: true, checks: { database: 'ok', queue: 'ok' } }],
  });
