import { isTimeZone } from '@replenish/domain/rules';
import { z } from 'zod';

/** A name of the tz database. */
export const timeZone = z
  .string()
  .refine(isTimeZone, 'must be a time zone of the tz database, such as Asia/Shanghai');
