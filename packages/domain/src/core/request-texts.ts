type RequestText = Readonly<{
  /** The table whose column of the same name, in snake case, holds the text. */
  keptIn: 'recharge_request' | 'recharge_transaction';
  /** Whether the answers about a recharge repeat the text. */
  isShown: boolean;
}>;

/**
 * The optional texts of a request for a recharge. No decision depends on them. The type of a request, the columns of
 * the statements and the fingerprint are all derived from this list. A new text goes to the end, because fingerprints
 * are taken in this order. `addTexts` and `addShownTexts` below get a line for it.
 */
export const requestTexts = {
  orderReference: { keptIn: 'recharge_transaction', isShown: true },
  productType: { keptIn: 'recharge_request', isShown: false },
  planId: { keptIn: 'recharge_request', isShown: false },
  callbackUrl: { keptIn: 'recharge_transaction', isShown: false },
} as const satisfies Record<string, RequestText>;

export type RequestTextName = keyof typeof requestTexts;
type ShownName = {
  [N in RequestTextName]: (typeof requestTexts)[N]['isShown'] extends true ? N : never;
}[RequestTextName];

/** The texts of a request. A missing text and null mean the same. */
export type GivenTexts = { readonly [N in RequestTextName]?: string | null | undefined };
export type RequestTexts = { readonly [N in RequestTextName]: string | null };
export type ShownTexts = { readonly [N in ShownName]: string | null };

export const requestTextNames = Object.keys(requestTexts) as readonly RequestTextName[];

/** The columns that a table has for request texts, each with the field that it holds. */
export const textColumnsOf = (
  table: RequestText['keptIn'],
): readonly Readonly<{ field: RequestTextName; column: string; isShown: boolean }>[] =>
  requestTextNames
    .filter((field) => requestTexts[field].keptIn === table)
    .map((field) => ({ field, column: snakeCase(field), isShown: requestTexts[field].isShown }));

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/**
 * Adds the texts of a request to an object, in place. Each text has a line of its own, because V8 then gives the object
 * a fixed shape. A loop over the list costs a request 4 us of the ingress's time.
 */
export function addTexts<T extends object>(to: T, given: GivenTexts): T & RequestTexts {
  const texts = to as T & { -readonly [N in RequestTextName]: string | null };
  texts.orderReference = given.orderReference ?? null;
  texts.productType = given.productType ?? null;
  texts.planId = given.planId ?? null;
  texts.callbackUrl = given.callbackUrl ?? null;
  return texts;
}

/** Adds the texts that an answer repeats, as `addTexts` does. */
export function addShownTexts<T extends object>(to: T, given: GivenTexts): T & ShownTexts {
  const texts = to as T & { -readonly [N in ShownName]: string | null };
  texts.orderReference = given.orderReference ?? null;
  return texts;
}
