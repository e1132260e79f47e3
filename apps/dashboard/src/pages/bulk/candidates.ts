import { casesToDismiss, rechargesToAsk } from '@replenish/assembly';
import type { BulkVerb, Domain, IsRefunding, NewBulk } from '@replenish/domain';
import { deskFilterOf, listAsk } from '../cases/list-page.js';
import type { PageCall } from '../frame/call.js';
import { addressOf, domainFilter, filtersOf } from '../recharges/filters.js';

export type CandidateDeps = Readonly<{
  domain: Pick<Domain, 'cases' | 'console'>;
  isRefunding: IsRefunding;
  casesDueMs: number;
}>;

/** The items of a list to which a verb can be applied. The address describes the list. */
export type Candidates = Readonly<{ verb: BulkVerb } & Pick<NewBulk, 'filter' | 'isCut' | 'items'>>;

/** `recheck` is for recharges under way, `dismiss` for open cases. Null: the address names neither. */
export async function candidatesOf(deps: CandidateDeps, call: PageCall): Promise<Candidates | null> {
  const verb = call.asked('verb');
  if (verb === 'recheck') return rechargesOf(deps, call);
  return verb === 'dismiss' ? casesOf(deps, call) : null;
}

async function rechargesOf({ domain }: CandidateDeps, call: PageCall): Promise<Candidates> {
  const filters = filtersOf(call);
  const found = await rechargesToAsk(domain, domainFilter(filters));
  return { verb: 'recheck', filter: addressOf(filters), ...found };
}

async function casesOf(
  { domain, isRefunding, casesDueMs }: CandidateDeps,
  call: PageCall,
): Promise<Candidates> {
  const { kind, share } = listAsk(call);
  const desk = deskFilterOf(share, casesDueMs, call.user.name);
  const found = await casesToDismiss(domain, isRefunding, { kind, desk });
  const here = new URLSearchParams({
    ...{ status: 'open' },
    ...(kind !== undefined && { kind }),
    ...(share && { desk: share }),
  });
  return { verb: 'dismiss', filter: `/cases?${here}`, ...found };
}
