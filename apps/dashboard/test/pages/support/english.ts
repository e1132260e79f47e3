/** What is written alike in both languages: names of things, formats and units that are not ours. */
const ALIKE = [
  'Replenish',
  'OpenID',
  'English',
  'Bull',
  'Board',
  'UTC',
  'HTTP',
  'POST',
  'CSV',
  'JSON',
  'USD',
  'CNY',
];

/** The names that the books of the tests have: clients, people, providers, accounts of ours, environments of keys. */
const NAMES = 'slack feishu shop mia leo sandbox stripe main eu us live test webhooks'.split(' ');

/** What the test itself wrote, in place of the words of a person or a provider. */
const TOLD = /as tested/g;

const known = new Set([...ALIKE, ...NAMES]);

/** Identifiers, quotations and evidence, which nobody translates. */
const QUOTED = /<(style|script|pre|code|q|noscript)\b.*?<\/\1>/gs;

const SPOKEN = /\b(?:aria-label|title|placeholder|alt)="([^"]*)"/g;

/**
 * The English words of a page in Chinese: in its text, and in the attributes that are read out or shown. Identifiers do
 * not count: they have a digit or one of `_ : . / @ ? =`. Codes in capitals may be in a title.
 */
export function englishIn(markup: string): string[] {
  const shown = markup.replaceAll(QUOTED, ' ');
  const texts = shown.replaceAll(/<[^>]*>/g, '\n');
  const titles = [...shown.matchAll(SPOKEN)].map(([, text]) => text!.replaceAll(/\b[A-Z]{2,}\b/g, ' '));
  return [texts, ...titles].flatMap(wordsIn).filter((word) => !known.has(word));
}

const wordsIn = (text: string): string[] =>
  text
    .replaceAll(/&#?\w+;/g, ' ')
    .replaceAll(TOLD, ' ')
    .split(/[^\w.:/@?=&…*-]+/)
    .map((token) => token.replace(/[.:]+$/, ''))
    .filter((token) => /^[A-Za-z]+(?:-[a-z]+)*$/.test(token));
