/** A refusal of the gateway. `code` is the business code of V3, and the `sub_code` of V2. */
export class AlipayFault extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly status = 400,
  ) {
    super(message);
  }
}

export const business = (name: string, message: string): AlipayFault =>
  new AlipayFault(`ACQ.${name}`, message);

export const faultsOfAlipay = [
  'notify_lost',
  'notify_twice',
  'notify_late',
  'pay_after_close',
  'timeout_before_create',
  'timeout_after_create',
  'reset_after_create',
  'server_error_after_create',
  'html_answer',
  'unsigned_answer',
  'throttled',
  'bill_late',
  'bill_cut',
  'bill_short',
  'bill_elsewhere',
  'bill_redirected',
] as const;
export type AlipayBehavior = (typeof faultsOfAlipay)[number];
