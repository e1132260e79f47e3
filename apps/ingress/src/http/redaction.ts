import { withoutCardNumbers } from './card-number.js';

// The beginnings of our own secrets, of those of webhooks and of providers, and a whole Authorization header.
const SECRET = /\b(rs_|whsec_|sk_|Bearer )[\w+/=.-]{8,}/gi;

// No path or detail of ours is longer but for one that a stranger made so: a header line may have 16 kB.
const TEXT_MAX = 512;
// The cut could go through a card number, whose first 15 digits tell the sixteenth: 19 digits and 18 times %20.
const NUMBER_AT_CUT = /[\d %-]{1,73}$/;

/**
 * The text without any secret or card number that somebody put where none belongs: paths and field names come back.
 * What is beyond 512 characters is left out.
 */
export const redacted = (text: string): string =>
  text.length <= TEXT_MAX
    ? readable(text)
    : `${readable(text.slice(0, TEXT_MAX).replace(NUMBER_AT_CUT, ''))}…`;

const readable = (text: string): string => withoutCardNumbers(text.replace(SECRET, '[secret]'));
