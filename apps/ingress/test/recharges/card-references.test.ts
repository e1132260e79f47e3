import { expect, test } from '@jest/globals';
import { hasCardNumber } from '@replenish/domain/rules';

const SAMPLES = 100_000;

/** Pseudo-random digits from a fixed seed, so that a failure can be repeated. */
function digitsFrom(seed: number): (count: number) => string {
  let state = seed;
  const sixDigits = (): string => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return String((state >>> 8) % 1_000_000).padStart(6, '0');
  };
  return (count) => {
    let text = '';
    while (text.length < count) text += sixDigits();
    return text.slice(0, count);
  };
}

/** A time in the years 2024 to 2033 as digits. */
function moment(digits: (count: number) => string): string {
  const at = new Date(Date.UTC(2024, 0, 1) + (Number(digits(12)) % (10 * 365 * 86_400_000)));
  return at.toISOString().replace(/\D/g, '');
}

const mobiles = [
  '861##########',
  '49151########',
  '4917#########',
  '43664########',
  '447#########',
  '62812#########',
];

const references: Record<string, (digits: (count: number) => string) => string> = {
  'timestamps with a serial': (d) => moment(d).slice(0, 14) + d(3),
  'timestamps with a longer serial': (d) => moment(d).slice(0, 14) + d(5),
  'timestamps with a year of two digits': (d) => moment(d).slice(2, 14) + d(4),
  'timestamps with the day in front': (d) =>
    moment(d).replace(/^(....)(..)(..)(......).*/, '$3$2$1$4') + d(2),
  milliseconds: (d) => `1${7 + (Number(d(1)) % 3)}${d(11)}`,
  microseconds: (d) => `1${7 + (Number(d(1)) % 3)}${d(14)}`,
  snowflakes: (d) => `1${d(18)}`,
  'snowflakes of 18 digits': (d) => `1${d(17)}`,
  'dates in groups': (d) => moment(d).replace(/^(....)(....)(....).*/, 'PO $1-$2-$3-') + d(4),
  'dates in short groups': (d) => moment(d).replace(/^..(..)(....)(....).*/, 'PO $1-$2-$3-') + d(6),
  telephones: (d) => mobiles[Number(d(2)) % mobiles.length]!.replace(/#/g, () => d(1)),
  'telephones in groups': (d) =>
    `+${mobiles[Number(d(2)) % mobiles.length]!.replace(/#/g, () => d(1)).replace(/^(..)(...)(....)/, '$1 $2-$3-')}`,
};

test.each(Object.entries(references))('none of 100,000 %s is taken for a card number', (_kind, reference) => {
  const digits = digitsFrom(1);
  const taken = Array.from({ length: SAMPLES }, () => reference(digits)).filter(hasCardNumber);
  expect(taken).toEqual([]);
});
