import { z } from 'zod';
import { timeZone } from '../input/time-zone.js';

export const SettlementQuery = z.strictObject({
  day: z.iso
    .date('must be a day, such as 2026-11-21')
    .refine((day) => !day.startsWith('0'), 'must be of the years 1000 to 9999')
    .meta({ description: 'The calendar day of the settlements', examples: ['2026-11-21'] }),
  timeZone: timeZone.default('UTC').meta({
    description: 'The time zone in which the day begins and ends, such as `Asia/Shanghai`; UTC when left out',
  }),
  bom: z.enum(['true', 'false']).optional().meta({
    description:
      '`true` for people: the file begins with a byte order mark, which Excel needs. Without it, `Accept: text/csv; bom=present` asks for one',
  }),
});
