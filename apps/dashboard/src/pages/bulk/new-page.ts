import { BULK_MAX, type BulkSum, type Domain } from '@replenish/domain';
import type { PageCall, ShownPage } from '../frame/call.js';
import { formOf } from '../frame/form.js';
import { html, nothing } from '../frame/html.js';
import { nothingFound } from '../frame/verb.js';
import { type CandidateDeps, type Candidates, candidatesOf } from './candidates.js';
import { bulkTitles, sumTable } from './words.js';

export type NewBulkDeps = CandidateDeps & Readonly<{ domain: Pick<Domain, 'bulks'> }>;

/** Shows to how many items a verb would be applied, and the amounts of money. */
export const newBulkPage = (deps: NewBulkDeps, call: PageCall): Promise<ShownPage> =>
  written(deps, call, null);

async function written(deps: NewBulkDeps, call: PageCall, fault: string | null): Promise<ShownPage> {
  const { say, request } = call;
  const found = await candidatesOf(deps, call);
  if (!found) return nothingFound(call);
  const form = formOf(
    {
      ...{ action: request.originalUrl, button: say('Freeze this list'), back: found.filter },
      ...{ stamp: '', fault },
    },
    call,
  );
  const body = html`<div class="summary"><p class="headline">${say('{n} of this list', { n: found.items.length })} · <a href="${found.filter}">${found.filter}</a></p>
${sumTable(sumsOf(found), say)}
${found.isCut ? html`<p class="alarm" role="status">${say('More may fit: the newest {n} at most are taken at once.', { n: BULK_MAX })}</p>` : nothing}</div>
${found.items.length === 0 ? html`<p class="empty">${say('Nothing of this list allows it now.')}</p>` : html`<section class="consequence"><h2>${say('What will happen')}</h2><ul><li>${say('The list is frozen: what comes later is not part of it.')}</li><li>${say('Nothing is done to it yet. It is started on its own page.')}</li></ul></section>${form}`}`;
  return { title: say(bulkTitles[found.verb]), body, status: fault === null ? 200 : 400 };
}

function sumsOf({ items }: Candidates): BulkSum[] {
  const currencies = [...new Set(items.map(({ currency }) => currency))].toSorted();
  return currencies.map((currency) => {
    const those = items.filter((item) => item.currency === currency);
    const amountMinor = those.reduce((sum, item) => sum + (item.amountMinor ?? 0n), 0n);
    return { currency, items: those.length, amountMinor };
  });
}

/** Stores the list as it is now. The verb is applied to these items only. */
export async function makeBulk(deps: NewBulkDeps, call: PageCall): Promise<ShownPage | null> {
  const { say, sent, user, response } = call;
  const reason = sent('reason');
  if (reason === '') return written(deps, call, say('A reason is needed.'));
  const found = await candidatesOf(deps, call);
  if (!found) return nothingFound(call);
  if (found.items.length === 0) return written(deps, call, say('Nothing of this list allows it now.'));
  const by = { actor: user.name, role: user.role };
  response.redirect(303, `/bulk/${await deps.domain.bulks.create({ ...found, reason }, by)}`);
  return null;
}
