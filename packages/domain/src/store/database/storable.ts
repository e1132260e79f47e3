/**
 * The beginning of a text as Postgres takes it: without NUL and without half a surrogate pair, which a cut may leave
 * of an emoji. A text that it refuses would be refused with every try, and what it says would never be heard.
 */
export const storable = (text: string, charsMax: number): string =>
  text
    .slice(0, charsMax)
    .replace(/\0/g, '\u2400')
    .replace(/\p{Surrogate}/gu, '\ufffd');

/** The same for every text in what goes into a `jsonb`. */
export const storableJson = (value: object): string =>
  JSON.stringify(value, (_name, part) => (typeof part === 'string' ? storable(part, part.length) : part));

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export const isUuid = (text: string): boolean => UUID.test(text);

/** Those of some ids that can be one. A job may carry anything, and what is no id stands for nothing. */
export const uuidsOf = (ids: readonly string[]): string[] => ids.filter(isUuid);
