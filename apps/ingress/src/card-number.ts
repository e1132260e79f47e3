// Groups of digits with one space or dash between them, as people write card numbers; in a URL the space is %20.
const GROUPS = /\d+(?:(?: |-|%20)\d+)*/g;
const BETWEEN_GROUPS = / |-|%20/;
const DIGITS_MIN = 13;
const DIGITS_MAX = 19;
const ZERO = 0x30;

/**
 * Whether a text holds what could be a payment card's number: 13 to 19 digits, spaces and dashes between them
 * allowed, with a right check digit (ISO/IEC 7812-1). Whoever stores one has to keep PCI DSS 3.4 and 3.5 for
 * everything that touches it, so none is let in. No card number begins with 0.
 *
 * Takes time in proportion to the text, whatever is in it: callers choose the text.
 */
export function hasCardNumber(text: string): boolean {
  if (text.length < DIGITS_MIN) return false;
  for (const { 0: run, index } of text.matchAll(GROUPS)) {
    if (run.length < DIGITS_MIN) continue;
    const isPartOfWord = isLetter(text[index - 1]) || isLetter(text[index + run.length]);
    const groups = run.split(BETWEEN_GROUPS);
    if (groups.some((_, first) => beginsCardNumber(groups, first, isPartOfWord))) return true;
  }
  return false;
}

/**
 * Whether this group and some of its neighbours are one. Digits grouped inside a longer word are left alone unless one
 * group is long enough by itself: one in some thousand UUIDs would be refused otherwise.
 */
function beginsCardNumber(groups: readonly string[], first: number, isPartOfWord: boolean): boolean {
  if (groups[first]!.startsWith('0')) return false;
  const last = isPartOfWord ? first : groups.length - 1;
  let length = 0;
  // Luhn's sum doubles every second digit from the right: with each further digit the two sums change places.
  let sum = 0;
  let sumIfMore = 0;
  for (let at = first; at <= last; at++) {
    const group = groups[at]!;
    length += group.length;
    if (length > DIGITS_MAX) return false;
    for (let place = 0; place < group.length; place++) {
      const digit = group.charCodeAt(place) - ZERO;
      const doubled = digit > 4 ? digit * 2 - 9 : digit * 2;
      const sumBefore = sum;
      sum = sumIfMore + digit;
      sumIfMore = sumBefore + doubled;
    }
    if (length >= DIGITS_MIN && sum % 10 === 0) return true;
  }
  return false;
}

const isLetter = (char: string | undefined): boolean => char !== undefined && /\p{L}/u.test(char);

/** The text with every possible card number in it made unreadable: field names come back in refusals. */
export const withoutCardNumbers = (text: string): string =>
  hasCardNumber(text) ? text.replace(GROUPS, (run) => (hasCardNumber(run) ? '[card number]' : run)) : text;
