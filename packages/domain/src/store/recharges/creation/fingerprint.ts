import { hash } from 'node:crypto';
import { requestTextNames } from '../../../core/request-texts.js';
import type { NewRecharge } from './new-recharge.js';

// Every stored fingerprint contains the first three texts of the list, even those that are null.
const always = requestTextNames.slice(0, 3);
const whenGiven = requestTextNames.slice(3);

/**
 * The identity of a request's meaning. It is taken over the parsed fields, with metadata sorted by key. So formatting,
 * the order of keys and the client's timestamp do not change it. JSON quotes each field, so two fields cannot merge.
 *
 * A text that joined the list later, the destination and the provider account count only where a request has them.
 * Requests that were stored before keep their fingerprints, so their repetitions are still recognised.
 */
export function fingerprintOf(request: NewRecharge): string {
  const metadata = Object.entries(request.metadata).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const meaning: unknown[] = [
    request.accountId,
    request.amountMinor.toString(),
    request.currency,
    request.paymentMethod,
  ];
  for (const name of always) meaning.push(request[name] ?? null);
  meaning.push(metadata);
  for (const name of whenGiven) if (request[name] != null) meaning.push([name, request[name]]);
  if (request.askedAccount != null) meaning.push(['providerAccount', request.askedAccount]);
  if (request.destination != null) meaning.push(['destination', request.destination]);
  return hash('sha256', JSON.stringify(meaning));
}
