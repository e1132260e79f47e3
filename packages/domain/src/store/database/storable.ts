/**
 * The beginning of a text, in a form that Postgres accepts: without NUL and without half a surrogate pair. A cut inside
 * an emoji leaves half a pair. Postgres refuses such a text at every try, so its report would be lost.
 */
export const storable = (text: string, charsMax: number): string =>
  text.slice(0, charsMax).replaceAll('\0', '\u2400').toWellFormed();

/** JSON for a `jsonb` column, with each text inside made storable. */
export const storableJson = (value: object): string =>
  JSON.stringify(value, (_name, part) => (typeof part === 'string' ? storable(part, part.length) : part));

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export const isUuid = (text: string): boolean => UUID.test(text);

/** The texts that are UUIDs. A job may carry any text, but only a UUID can name a row. */
export const uuidsOf = (ids: readonly string[]): string[] => ids.filter(isUuid);
