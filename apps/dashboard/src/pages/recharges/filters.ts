import {
  type ConsoleFilter,
  minorFromMajor,
  type State,
  states,
  type WaitingReason,
  waitingReasons,
} from '@replenish/domain';
import { exponentOf, timeFromText } from '@replenish/domain/rules';
import type { PageCall } from '../frame/call.js';

/** The filters that the address of the list can contain. Null: not given. */
export const filterNames = [
  'status',
  'waiting',
  'account',
  'provider',
  'currency',
  'kind',
  'amount',
  'from',
  'to',
  'older',
  'younger',
] as const;
export type FilterName = (typeof filterNames)[number];
export type Filters = Readonly<Record<FilterName, string | null>>;

export const filtersOf = ({ asked }: Pick<PageCall, 'asked'>): Filters =>
  Object.fromEntries(filterNames.map((name) => [name, asked(name)])) as Record<FilterName, string | null>;

/** Words of the address that stand for several states: `OPEN` is every state that is not final. */
const groups: Readonly<Record<string, readonly State[]>> = {
  OPEN: ['CREATED', 'SUBMITTED', 'PENDING_CONFIRMATION'],
};

/** The filter in the form of the domain. An invalid value is ignored, and the page shows the filters that apply. */
export function domainFilter(filters: Filters): Omit<ConsoleFilter, 'limit'> {
  const amount = filters.amount === null ? null : amountIn(filters.amount);
  return {
    states: statesOf(filters.status),
    waiting: waitingOf(filters.waiting),
    accountId: filters.account ?? undefined,
    provider: filters.provider ?? undefined,
    currency: amount?.currency ?? filters.currency ?? undefined,
    kind: filters.kind ?? undefined,
    amountMinor: amount?.amountMinor,
    createdFrom: timeOf(filters.from),
    createdTo: timeOf(filters.to),
    olderThanS: secondsOf(filters.older),
    youngerThanS: secondsOf(filters.younger),
  };
}

function statesOf(status: string | null): readonly State[] | undefined {
  if (status === null) return undefined;
  const known = groups[status] ?? states.filter((state) => state === status);
  return known.length > 0 ? known : undefined;
}

const waitingOf = (text: string | null): WaitingReason | 'any' | undefined =>
  text === 'any' ? 'any' : waitingReasons.find((reason) => reason === text);

/** A day without a time means the beginning of the day. */
function timeOf(text: string | null): Date | undefined {
  if (text === null) return undefined;
  return timeFromText(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text) ?? undefined;
}

const secondsOf = (text: string | null): number | undefined =>
  text !== null && /^\d{1,9}$/.test(text) ? Number(text) : undefined;

export type AmountText = Readonly<{ amountMinor: bigint; currency: string | undefined }>;

/**
 * An amount as people write it: `49.99 USD`, `USD 49.99`, `1,234.56`, or `4999` minor units. Without a currency a decimal
 * has two digits after the point, as most currencies have.
 */
export function amountIn(text: string): AmountText | null {
  const [, before, digits = '', after] =
    /^(?:([A-Z]{3})\s*)?(\d[\d,]{0,20}(?:\.\d{1,3})?)(?:\s*([A-Z]{3}))?$/i.exec(text.trim()) ?? [];
  const currency = (before ?? after)?.toUpperCase();
  const plain = digits.replaceAll(',', '');
  if (plain === '' || (before && after)) return null;
  const exponent = currency === undefined ? 2 : exponentOf(currency);
  if (exponent === null || exponent === undefined) return null;
  const isMinor = currency === undefined && !plain.includes('.');
  const amountMinor = isMinor ? BigInt(plain) : minorFromMajor(plain, exponent);
  return amountMinor === null ? null : { amountMinor, currency };
}

/** The address of the list with these filters. */
export function addressOf(filters: Filters, more: Readonly<Record<string, string>> = {}): string {
  const params = new URLSearchParams();
  for (const name of filterNames) if (filters[name] !== null) params.set(name, filters[name]);
  for (const [name, value] of Object.entries(more)) params.set(name, value);
  const query = params.toString();
  return query === '' ? '/recharges' : `/recharges?${query}`;
}
