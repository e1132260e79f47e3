import { BULK_MAX, type BulkVerb, type Domain, type IsRefunding, type NewBulk } from '@replenish/domain';
import { deskFilterOf, listAsk } from '../cases/list-page.js';
import type { PageCall } from '../frame/call.js';
import { addressOf, domainFilter, filtersOf } from '../recharges/filters.js';
import { askedId } from '../recharges/verbs.js';

export type CandidateDeps = Readonly<{
  domain: Pick<Domain, 'cases' | 'console'>;
  isRefunding: IsRefunding;
  casesDueMs: number;
}>;

/** What a verb can be done to, of the list that the address describes. */
export type Candidates = Readonly<{ verb: BulkVerb } & Pick<NewBulk, 'filter' | 'isCut' | 'items'>>;

/** `recheck` is for recharges under way, `dismiss` for open cases. Null: the address names neither. */
export async function candidatesOf(deps: CandidateDeps, call: PageCall): Promise<Candidates | null> {
  const verb = call.asked('verb');
  if (verb === 'recheck') return rechargesOf(deps, call);
  return verb === 'dismiss' ? casesOf(deps, call) : null;
}

async function rechargesOf({ domain }: CandidateDeps, call: PageCall): Promise<Candidates> {
  const filters = filtersOf(call);
  const wanted = domainFilter(filters);
  const states = wanted.states ?? (['SUBMITTED', 'PENDING_CONFIRMATION'] as const);
  const { rows, next, isCut } = await domain.console.list({ ...wanted, states, limit: BULK_MAX });
  const found = rows.flatMap((r) => {
    const subject = askedId(r);
    return subject === null ? [] : [[subject, { ...r, subject }] as const];
  });
  // A whole recharge and its delivery are one question to the provider.
  const items = [...new Map(found).values()].map(({ subject, amountMinor, currency }) => ({
    ...{ subject, amountMinor, currency },
  }));
  return { verb: 'recheck', filter: addressOf(filters), isCut: isCut || next !== null, items };
}

async function casesOf(
  { domain, isRefunding, casesDueMs }: CandidateDeps,
  call: PageCall,
): Promise<Candidates> {
  const { kind, share } = listAsk(call);
  const desk = deskFilterOf(share, casesDueMs, call.user.name);
  const filter = { viewer: null, status: 'open', kind, limit: BULK_MAX, desk } as const;
  const { rows, nextId } = await domain.cases.list(filter, isRefunding);
  const items = rows
    .filter(({ verbs }) => verbs.includes('dismiss'))
    .map(({ id, amountMinor, currency }) => ({ subject: id, amountMinor, currency }));
  const here = new URLSearchParams({
    ...{ status: 'open' },
    ...(kind !== undefined && { kind }),
    ...(share && { desk: share }),
  });
  return { verb: 'dismiss', filter: `/cases?${here}`, isCut: nextId !== null, items };
}
