import type {
  CaseFilter,
  ConsoleFilter,
  Domain,
  IsRefunding,
  NewBulk,
  RechargeView,
} from '@replenish/domain';
import { BULK_MAX } from '@replenish/domain/rules';

/** What a bulk verb can be done to, of one list. */
export type BulkItems = Pick<NewBulk, 'isCut' | 'items'>;

const isUnderWay = ({ state }: Pick<RechargeView, 'state'>): boolean =>
  state === 'SUBMITTED' || state === 'PENDING_CONFIRMATION';

/** The transaction whose provider would be asked: the delivery, once the money is collected. */
export const askedId = (r: RechargeView): string | null => {
  if (isUnderWay(r)) return r.id;
  return r.state === 'SUCCEEDED' && r.delivery && isUnderWay(r.delivery) ? r.delivery.id : null;
};

/** The recharges of a list whose providers can be asked. Without a state: those under way. */
export async function rechargesToAsk(
  { console: reads }: Pick<Domain, 'console'>,
  wanted: Omit<ConsoleFilter, 'limit'>,
): Promise<BulkItems> {
  const states = wanted.states ?? (['SUBMITTED', 'PENDING_CONFIRMATION'] as const);
  const { rows, next, isCut } = await reads.list({ ...wanted, states, limit: BULK_MAX });
  const found = rows.flatMap((r) => {
    const subject = askedId(r);
    return subject === null ? [] : [[subject, { ...r, subject }] as const];
  });
  // About a whole recharge that is being delivered, the provider is asked by its delivery. The list may hold that
  // delivery as well, so one question stands for both.
  const items = [...new Map(found).values()].map(({ subject, amountMinor, currency }) => ({
    ...{ subject, amountMinor, currency },
  }));
  return { isCut: isCut || next !== null, items };
}

/** The open cases of a list that can be closed without a change. */
export async function casesToDismiss(
  { cases }: Pick<Domain, 'cases'>,
  isRefunding: IsRefunding,
  wanted: Pick<CaseFilter, 'kind' | 'desk'>,
): Promise<BulkItems> {
  const filter = { ...wanted, viewer: null, status: 'open', limit: BULK_MAX } as const;
  const { rows, nextId } = await cases.list(filter, isRefunding);
  const items = rows
    .filter(({ verbs }) => verbs.includes('dismiss'))
    .map(({ id, amountMinor, currency }) => ({ subject: id, amountMinor, currency }));
  return { isCut: nextId !== null, items };
}
