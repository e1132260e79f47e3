// Groups of digits with one space or dash between them, as people write card numbers. In a URL the space is %20.
const GROUPS = /\d+(?:(?: |-|%20)\d+)*/g;
const BETWEEN_GROUPS = / |-|%20/;
const DIGITS_MIN = 13;
const DIGITS_MAX = 19;
const ZERO = 0x30;

/**
 * Prefixes and lengths of card numbers, from the ranges that Visa, Mastercard, American Express, Discover, JCB,
 * UnionPay and Mir publish for merchants (assigned by ISO/IEC 7812). UATP is left out, because its prefix 1 also begins
 * times in milliseconds, and its cards pay for flights only.
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
 * A time at the front, as order references often have it: yymmddHHMM or ddmmyyyyHHMM. The years 22 to 27 and 30 and
 * the days 22 to 27 and 30 fall into the ranges of Mastercard and Diners Club.
 */
const TIME =
  /^(?:(?:2[2-7]|30)(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])|(?:2[2-7]|30)(?:0[1-9]|1[0-2])20\d\d)(?:[01]\d|2[0-3])[0-5]\d/;

// German and Austrian telephone numbers with country code. They have 13 digits, as old Visa numbers had.
const TELEPHONE = /^4[39]\d{11}$/;

/**
 * Ways to group the digits of a card number: in pairs, fours or eights, one by one, or as embossed (lengths of the
 * groups).
 */
const GROUPED =
  /^(?:\d+|1(?:-1)*|2(?:-2)*(?:-1)?|4(?:-4)*(?:-[1-3])?|8(?:-8)*(?:-[1-7])?|4-6-[45]|4-3-3-3|6-13)$/;

/**
 * Whether a text may contain a payment card number: a prefix and length that issuers use, a right check digit
 * (ISO/IEC 7812-1), and spaces or dashes where cards have them. A system that stores a card number must keep PCI DSS
 * 3.4 and 3.5, so we accept none. An order number of such a prefix and length is refused in one of ten cases.
 *
 * The time grows linearly with the text, because callers choose the text.
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
 * Whether a card number begins at this group. Inside a longer word only a group that is long enough by itself counts.
 * Otherwise one of some thousand UUIDs would be refused.
 */
function beginsCardNumber(groups: readonly string[], first: number, isPartOfWord: boolean): boolean {
  if (!/^[2-6]/.test(groups[first]!)) return false;
  const last = isPartOfWord ? first : groups.length - 1;
  let length = 0;
  // The Luhn sum doubles every second digit from the right, so the two running sums swap with each further digit.
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

/** Whether these groups, whose check digit is right, look like a card number and not like a more common number. */
function isIssued(groups: readonly string[]): boolean {
  const digits = groups.join('');
  if (!ISSUED.test(digits) || TIME.test(digits)) return false;
  if (digits.length === DIGITS_MIN && (TELEPHONE.test(digits) || isArticle(digits))) return false;
  return GROUPED.test(groups.map(({ length }) => length).join('-'));
}

/** Whether the digits are an EAN-13 article number (GS1 check digit with weights 1 and 3). */
const isArticle = (digits: string): boolean =>
  [...digits].reduce((sum, digit, at) => sum + Number(digit) * (at % 2 === 0 ? 1 : 3), 0) % 10 === 0;

const isLetter = (char: string | undefined): boolean => char !== undefined && /\p{L}/u.test(char);

/**
 * The text with each possible card number masked. Refusals repeat names of fields, and a name may be a card number.
 */
export const withoutCardNumbers = (text: string): string =>
  hasCardNumber(text) ? text.replace(GROUPS, (run) => (hasCardNumber(run) ? '[card number]' : run)) : text;
