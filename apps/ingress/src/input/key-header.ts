import { invalid } from '../http/answers/problem.js';
import { idempotencyKey, validated } from './fields.js';

/** The idempotency key of a request that may have one. Null: it has none. @throws Problem INVALID_ARGUMENT */
export const optionalKey = (header: string | string[] | undefined): string | null =>
  header === undefined ? null : validated(idempotencyKey, header as string, 'idempotencyKey');

/** The idempotency key of a request that needs one. @throws Problem INVALID_ARGUMENT if there is none */
export function neededKey(header: string | string[] | undefined): string {
  const path = 'idempotencyKey';
  if (header === undefined) throw invalid({ path, message: 'is needed, as header Idempotency-Key' });
  return validated(idempotencyKey, header as string, path);
}
