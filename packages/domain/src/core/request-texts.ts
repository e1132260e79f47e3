type RequestText = Readonly<{
  /** The table whose column of the same name, in snake case, holds the text. */
  keptIn: 'recharge_request' | 'recharge_transaction';
  /** Whether the answers about a recharge repeat the text. */
  isShown: boolean;
}>;

/**
 * The optional texts of a request for a recharge. No decision depends on them. The type of a request, the columns of
 * the statements and the fingerprint are all derived from this list. A new text goes to the end, because fingerprints
 * are taken in this order.
 *
 * Code that builds a request, a row or an answer writes the texts as fields of a literal, and does not compile if it
 * lacks one. A loop over this list costs a request 4 us of the ingress's time, because V8 gives its object no fixed
 * shape.
 */
export const requestTexts = {
  orderReference: { keptIn: 'recharge_transaction', isShown: true },
  productType: { keptIn: 'recharge_request', isShown: false },
  planId: { keptIn: 'recharge_request', isShown: false },
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
