import { type Domain, isUuid } from '@replenish/domain';
import type { PageCall, ShownPage } from '../frame/call.js';
import { noRecharge } from './missing.js';

/** Sends all that is on record about a recharge as a file, which `npx replenish evidence check` reads. */
export async function sendEvidence(
  { domain }: Readonly<{ domain: Pick<Domain, 'evidence'> }>,
  call: PageCall,
): Promise<ShownPage | null> {
  const id = String(call.request.params.id).toLowerCase();
  const pack = isUuid(id) ? await domain.evidence(id) : null;
  if (pack === null) return noRecharge(call, id);
  call.response.attachment(`evidence-${id}.json`).type('json').send(JSON.stringify(pack));
  return null;
}
