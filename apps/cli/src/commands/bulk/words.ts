import type { BulkItem, BulkSum, BulkView } from '@replenish/domain';

/** A bulk verb with the money that it is about. */
export type ShownBulk = Readonly<{ bulk: BulkView; sums: readonly BulkSum[] }>;

const moneyOf = ({ amountMinor, currency }: Pick<BulkItem, 'amountMinor' | 'currency'>): string =>
  amountMinor === null || currency === null ? 'no certain money' : `${amountMinor} ${currency}`;

export const barOf = ({ done, items }: BulkView): string => `${done} of ${items} done`;

export const linesOf = ({ bulk, sums }: ShownBulk): string =>
  [
    ...Object.entries({
      ...{ bulk: bulk.id, verb: bulk.verb, status: bulk.status, list: bulk.filter },
      ...{ reason: bulk.reason, actor: bulk.actor, created: bulk.createdAt.toISOString() },
      ...{ ended: bulk.endedAt?.toISOString() ?? '-', items: String(bulk.items) },
    }),
    ...sums.map((sum) => ['sum', `${moneyOf(sum)} in ${sum.items} items`] as const),
    ...(bulk.isCut ? [['note', 'more of the list may have fitted than was taken at once'] as const] : []),
    ['progress', barOf(bulk)] as const,
  ]
    .map(([name, value]) => `${name.padEnd(12)} ${value.replace(/\p{Cc}/gu, ' ')}`)
    .join('\n');

export const rowOf = ({ id, verb, status, done, items, actor, reason }: BulkView): string[] => [
  ...[id, verb, status, `${done}/${items}`, actor, reason],
];

export const itemRowOf = (item: BulkItem): string[] => [
  ...[item.subject, moneyOf(item), item.outcome ?? '-', item.doneAt?.toISOString() ?? '-'],
];

const itemBody = ({ subject, amountMinor, currency, outcome, doneAt }: BulkItem) => ({
  ...{ subject, amount: amountMinor === null ? null : Number(amountMinor), currency, outcome, doneAt },
});

export const bodyOf = ({ id, verb, filter, isCut, reason, actor, status, ...rest }: BulkView) => ({
  ...{ bulkId: id, verb, list: filter, isCut, reason, actor, status },
  ...{ items: rest.items, done: rest.done, createdAt: rest.createdAt, endedAt: rest.endedAt },
});

export const asJson = ({ bulk, sums }: ShownBulk, items?: readonly BulkItem[]): string =>
  JSON.stringify({
    ...bodyOf(bulk),
    sums: sums.map((sum) => ({
      ...{ currency: sum.currency, items: sum.items },
      amount: sum.amountMinor === null ? null : Number(sum.amountMinor),
    })),
    ...(items && { results: items.map(itemBody) }),
  });
