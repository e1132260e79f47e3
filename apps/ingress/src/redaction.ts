import { withoutCardNumbers } from './card-number.js';

// The beginnings of our own secrets, of those of webhooks and of providers, and a whole Authorization header.
const SECRET = /\b(rs_|whsec_|sk_|Bearer )[\w+/=.-]{8,}/gi;

/** The text without any secret or card number that somebody put where none belongs: paths and field names come back. */
export const redacted = (text: string): string => withoutCardNumbers(text.replace(SECRET, '[secret]'));
