import { z } from 'zod';

/** A time in whole milliseconds, within limits. */
export const milliseconds = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
