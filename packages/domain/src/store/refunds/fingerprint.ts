import { hash } from 'node:crypto';
import type { NewRefund } from './new-refund.js';

/** The identity of what a refund asks for. It begins with another field than the fingerprint of a recharge. */
export const refundFingerprint = ({ of, amountMinor, reason }: NewRefund): string =>
  hash('sha256', JSON.stringify([{ refundOf: of }, amountMinor?.toString() ?? null, reason]));
