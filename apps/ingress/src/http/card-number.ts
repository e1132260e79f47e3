// Groups of digits with one space or dash between them, as people write card numbers; in a URL the space is %20.
const GROUPS = /\d+(?:(?: |-|%20)\d+)*/g;
const BETWEEN_GROUPS = / |-|%20/;
const DIGITS_MIN = 13;
const DIGITS_MAX = 19;
const ZERO = 0x30;

/**
 * Beginnings and lengths of the numbers that issuers give out, after the ranges that Visa, Mastercard, American Express,
 * Discover, JCB, UnionPay and Mir publish for merchants (ISO/IEC 7812 assigns them). UATP is left out: its 1 begins
 * every count of milliseconds, and it pays for flights only.
 */
const ISSUED = new RegExp(
  `^(?:${[
    '4(?:\\d{12}|\\d{15}|\\d{18})', // Visa
    '5[1-5]\\d{14}', // Mastercard
    '2(?:22[1-9]|2[3-9]\\d|[3-6]\\d\\d|7[01]\\d|720)\\d{12}', // Mastercard, 2221 to 2720
    '3[47]\\d{13}', // American Express
    '6(?:4[4-9]|0\\d|5\\d)\\d{13}(?:\\d{3})?', // Discover, RuPay, Hipercard
    '35(?:2[89]|[3-8]\\d)\\d{12}', // JCB
    '62\\d{14,17}', // UnionPay
    '3(?:0[0-5]|[689]\\d)\\d{11}(?:\\d{2})?', // Diners Club
    '(?:50|5[6-8]|63|67)\\d{12,17}', // Maestro, Dankort, Elo
    '220[0-4]\\d{12}', // Mir
  ].join('|')})$`,
);

/**
 * A time at the front, as references have it: yymmddHHMM or ddmmyyyyHHMM. The years 22 to 27 and 30 and the days 22 to
 * 27 and 30 lie in the ranges of Mastercard and Diners Club.
 */
const TIME =
  /^(?:(?:2[2-7]|30)(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])|(?:2[2-7]|30)(?:0[1-9]|1[0-2])20\d\d)(?:[01]\d|2[0-3])[0-5]\d/;

// German and Austrian telephone numbers have 13 digits, as Visa's had until they were made longer.
const TELEPHONE = /^4[39]\d{11}$/;

/** How card numbers are grouped: in pairs, fours or eights, digit by digit, or as embossed (lengths of the groups). */
const GROUPED =
  /^(?:\d+|1(?:-1)*|2(?:-2)*(?:-1)?|4(?:-4)*(?:-[1-3])?|8(?:-8)*(?:-[1-7])?|4-6-[45]|4-3-3-3|6-13)$/;

/**
 * Whether a text holds what could be a payment card's number: a beginning and a length that some issuer gives out, a
 * right check digit (ISO/IEC 7812-1), spaces or dashes where cards have them. Whoever stores one has to keep PCI DSS 3.4
 * and 3.5 for everything that touches it, so none is let in. One in ten order numbers that begin and are as long as a
 * card's is taken for one.
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
  if (!/^[2-6]/.test(groups[first]!)) return false;
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
    if (length >= DIGITS_MIN && sum % 10 === 0 && isIssued(groups.slice(first, at + 1))) return true;
  }
  return false;
}

/** Whether these groups with a right check digit look like a card's number and like nothing more usual. */
function isIssued(groups: readonly string[]): boolean {
  const digits = groups.join('');
  if (!ISSUED.test(digits) || TIME.test(digits)) return false;
  if (digits.length === DIGITS_MIN && (TELEPHONE.test(digits) || isArticle(digits))) return false;
  return GROUPED.test(groups.map(({ length }) => length).join('-'));
}

/** An EAN-13: its check digit is the one of GS1, with weights 1 and 3. */
const isArticle = (digits: string): boolean =>
  [...digits].reduce((sum, digit, at) => sum + Number(digit) * (at % 2 === 0 ? 1 : 3), 0) % 10 === 0;

const isLetter = (char: string | undefined): boolean => char !== undefined && /\p{L}/u.test(char);

/** The text with every possible card number in it made unreadable: field names come back in refusals. */
export const withoutCardNumbers = (text: string): string =>
  hasCardNumber(text) ? text.replace(GROUPS, (run) => (hasCardNumber(run) ? '[card number]' : run)) : text;
