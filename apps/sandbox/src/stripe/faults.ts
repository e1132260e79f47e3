/** A refusal of the API. `isStored`: the answer is kept under its Idempotency-Key, because the call was executed. */
export class StripeFault extends Error {
  constructor(
    readonly status: number,
    readonly body: Readonly<{ type: string; message: string } & Record<string, unknown>>,
    readonly isStored: boolean,
  ) {
    super(body.message);
  }
}

export const invalid = (message: string, param?: string, code?: string): StripeFault =>
  new StripeFault(
    400,
    { type: 'invalid_request_error', message, ...(param && { param }), ...(code && { code }) },
    false,
  );

export const missing = (what: string, id: string): StripeFault =>
  new StripeFault(
    404,
    {
      type: 'invalid_request_error',
      code: 'resource_missing',
      message: `No such ${what}: '${id}'`,
      param: 'intent',
    },
    false,
  );

export const unexpectedState = (message: string, intent: unknown): StripeFault =>
  new StripeFault(
    400,
    {
      type: 'invalid_request_error',
      code: 'payment_intent_unexpected_state',
      message,
      payment_intent: intent,
    },
    true,
  );

export const faultsOfStripe = [
  'timeout_before_create',
  'timeout_after_create',
  'reset_after_create',
  'server_error_before_create',
  'server_error_after_create',
  'html_answer',
  'throttled',
  'slow_create',
  'webhook_lost',
  'webhook_twice',
  'webhook_out_of_order',
] as const;
export type StripeBehavior = (typeof faultsOfStripe)[number];
