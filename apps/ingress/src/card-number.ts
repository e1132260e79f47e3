// Groups of digits with one space or dash between them, as people write card numbers; in a URL the space is %20.
const GROUPS = /\d+(?:(?: |-|%20)\d+)*/g;
const BETWEEN_GROUPS = / |-|%20/;

/**
 * Whether a text holds what could be a payment card's number: 13 to 19 digits, spaces and dashes between them
 * allowed, with a right check digit (ISO/IEC 7812-1). Whoever stores one has to keep PCI DSS 3.4 and 3.5 for
 * everything that touches it, so none is let in. No card number begins with 0.
 */
export function hasCardNumber(text: string): boolean {
  if (text.length < 13) return false;
  for (const { 0: run, index } of text.matchAll(GROUPS)) {
    const isPartOfWord = isLetter(text[index - 1]) || isLetter(text[index + run.length]);
    if (windows(run.split(BETWEEN_GROUPS), isPartOfWord).some(isCardNumber)) return true;
  }
  return false;
}

/**
 * Every row of neighbouring groups that has the length of a card number. Digits grouped inside a longer word are left
 * alone unless one group is long enough by itself: one in some thousand UUIDs would be refused otherwise.
 */
function windows(groups: readonly string[], isPartOfWord: boolean): string[] {
  const found: string[] = [];
  groups.forEach((first, start) => {
    let digits = first;
    for (let end = start + 1; digits.length <= 19; end++) {
      if (digits.length >= 13) found.push(digits);
      if (isPartOfWord || end >= groups.length) break;
      digits += groups[end]!;
    }
  });
  return found;
}

const isLetter = (char: string | undefined): boolean => char !== undefined && /\p{L}/u.test(char);

function isCardNumber(digits: string): boolean {
  if (digits.startsWith('0')) return false;
  let sum = 0;
  for (let place = 1; place <= digits.length; place++) {
    const digit = Number(digits[digits.length - place]);
    const counted = place % 2 === 0 ? digit * 2 : digit;
    sum += counted > 9 ? counted - 9 : counted;
  }
  return sum % 10 === 0;
}

/** The text with every possible card number in it made unreadable: field names come back in refusals. */
export const withoutCardNumbers = (text: string): string =>
  hasCardNumber(text) ? text.replace(GROUPS, (run) => (hasCardNumber(run) ? '[card number]' : run)) : text;
