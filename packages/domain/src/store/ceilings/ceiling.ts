/**
 * The limits of a key in one currency, in minor units: for one request, and for all requests of its client in 24 hours.
 * Null means no limit.
 */
export type Ceiling = Readonly<{ requestMinor: bigint | null; dayMinor: bigint | null }>;
