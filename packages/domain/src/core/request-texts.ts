type RequestText = Readonly<{
  /** The table whose column of the same name, in snake case, holds the text. */
  keptIn: 'recharge_request' | 'recharge_transaction';
  /** Whether the answers about a recharge repeat the text. */
  isShown: boolean;
}>;

/**
 * The optional texts of a request for a recharge. No decision depends on them. The type of a request, the columns of
 * the statements, the fingerprint and the fields of an answer are all derived from this list. A new text goes to the
 * end, because fingerprints are taken in this order.
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
const shownNames = requestTextNames.filter((name): name is ShownName => requestTexts[name].isShown);

/** The columns that a table has for request texts, each with the field that it holds. */
export const textColumnsOf = (
  table: RequestText['keptIn'],
): readonly Readonly<{ field: RequestTextName; column: string; isShown: boolean }>[] =>
  requestTextNames
    .filter((field) => requestTexts[field].keptIn === table)
    .map((field) => ({ field, column: snakeCase(field), isShown: requestTexts[field].isShown }));

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

export const textsOf = (given: GivenTexts): RequestTexts => picked(requestTextNames, given);

/** The texts that an answer repeats, in the order of the list. */
export const shownTextsOf = (given: GivenTexts): ShownTexts => picked(shownNames, given);

function picked<N extends RequestTextName>(
  names: readonly N[],
  given: GivenTexts,
): { readonly [P in N]: string | null } {
  const texts = {} as { [P in N]: string | null };
  for (const name of names) texts[name] = given[name] ?? null;
  return texts;
}
