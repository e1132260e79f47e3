import { filedWords } from './chinese/filed.js';
import { outcomeText } from './format.js';
import type { Say } from './words.js';

// The values that are sentences or names of people. All others are one word.
const LONG = new Set(['reason', 'name', 'actor']);

// The values that are codes with words of their own. Names of people are not, even if somebody is called `admin`.
const CODES = new Set(['role', 'verb', 'cause']);

const sentences = Object.keys(filedWords).map((english) => ({ english, pattern: patternOf(english) }));

function patternOf(english: string): RegExp {
  const pattern = english
    .replace(/[.*+?()|[\]\\^$]/g, '\\$&')
    .replace(/\{(\w+)\}/g, (_whole, name: string) => `(?<${name}>${LONG.has(name) ? '.+?' : '\\S+'})`);
  return new RegExp(`^${pattern}$`, 's');
}

/**
 * A sentence of the books in the language of the reader. The code that files it writes it in English. A sentence that
 * is not known is what a person or a provider wrote, and stays as it is.
 */
export function filedText(text: string, say: Say): string {
  for (const { english, pattern } of sentences) {
    const found = pattern.exec(text);
    if (found) return say(english, shownValues(found.groups ?? {}, say));
  }
  return text;
}

const shownValues = (values: Readonly<Record<string, string>>, say: Say): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, shownValue(name, value, say)]));

function shownValue(name: string, value: string, say: Say): string {
  if (name === 'time') return `${value.slice(0, 16).replace('T', ' ')} UTC`;
  if (name === 'status') return outcomeText(value, say);
  return CODES.has(name) ? say(value) : value;
}
