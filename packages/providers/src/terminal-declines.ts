import { goneCodes } from './alibaba-cloud/codes.js';
import { lostCardCodes, payerCodes } from './stripe/errors.js';

/**
 * Why the next order would be refused too: the account that gets the money is gone, a person has to confirm the payment,
 * or what pays may not be used any more.
 */
export type TerminalDecline = 'payee_gone' | 'payer_needed' | 'source_gone';

/** The codes of declines that no later order changes, by the code that a failed recharge's message begins with. */
export const terminalDeclines: Readonly<Record<string, TerminalDecline>> = Object.fromEntries([
  ...goneCodes.map((code) => [code, 'payee_gone'] as const),
  ...payerCodes.map((code) => [code, 'payer_needed'] as const),
  ...lostCardCodes.map((code) => [code, 'source_gone'] as const),
]);
