/** A `detail` for each code, for the examples. The words are those of the routes. */
export const details: Readonly<Record<string, string>> = {
  INVALID_ARGUMENT: 'amount: must be a positive integer of minor units, in digits',
  UNAUTHENTICATED: 'the key is unknown, or the secret is wrong',
  UNAUTHORIZED: 'the key does not cover this account',
  NOT_FOUND: 'there is no such recharge',
  DUPLICATE_REQUEST:
    'this idempotency key was used with another request; to repeat that one, send it unchanged',
  INVALID_STATE: 'too late to cancel: it was sent to the provider',
  INSUFFICIENT_BALANCE: "the account's available balance does not cover the amount",
  RATE_LIMITED: 'the limit of 600 requests per minute of this client is reached',
  INTERNAL_ERROR: 'unexpected error; send us the correlationId',
};
