import { hash } from 'node:crypto';
import type { NewRecharge } from './new-recharge.js';

/**
 * Identity of a request's meaning: over its parsed fields, metadata by sorted key, so that neither formatting nor the
 * order of keys nor the client's timestamp make another request. Each field is length-prefixed by JSON's own quoting.
 */
export function fingerprintOf(ask: NewRecharge): string {
  const metadata = Object.entries(ask.metadata).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const meaning = [
    ask.accountId,
    ask.amountMinor.toString(),
    ask.currency,
    ask.paymentMethod,
    ask.orderReference,
    ask.productType,
    ask.planId,
    metadata,
  ];
  return hash('sha256', JSON.stringify(meaning));
}
