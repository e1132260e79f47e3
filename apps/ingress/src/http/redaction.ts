import { withoutCardNumbers } from '@replenish/domain/rules';

// Prefixes of our secrets and of those of webhooks and providers, and a whole Authorization header.
const SECRET = /\b(rs_|whsec_|sk_|Bearer )[\w+/=.-]{8,}/gi;

// Our own paths and details are shorter. A stranger can send a path of up to 16 kB.
const TEXT_MAX = 512;
// Digits at the end of a text that is cut. The cut can split a card number, and the first 15 digits determine the
// sixteenth, so these digits are masked too. The longest case is 19 digits with 18 times %20 between them.
const NUMBER_AT_CUT = /[\d %-]{1,73}$/;

/**
 * The text with secrets and card numbers masked, cut to 512 characters. Answers and logs repeat paths and names of
 * fields, and a caller may have put a secret there.
 */
export const redacted = (text: string): string =>
  text.length <= TEXT_MAX
    ? readable(text)
    : `${readable(text.slice(0, TEXT_MAX).replace(NUMBER_AT_CUT, ''))}…`;

const readable = (text: string): string => withoutCardNumbers(text.replace(SECRET, '[secret]'));
