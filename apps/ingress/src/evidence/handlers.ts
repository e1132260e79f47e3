import { evidencePage } from '@replenish/assembly';
import type { Domain } from '@replenish/domain';
import { preferredForm } from '../http/answer.js';
import type { KeyedCall } from '../http/operation.js';
import { addHeader, send, sendPage } from '../http/send.js';
import { ownRecharge } from '../recharges/handlers.js';

export type EvidenceDeps = Readonly<{ domain: Pick<Domain, 'reads' | 'evidence'> }>;

/** The style sheet of the page. The security policy of our pages forbids styles inside them. */
const STYLE = '/docs/evidence.css';

/** JSON unless a page is asked for. A pack has no XML form, because its names are those of stored objects. */
export async function readEvidence(deps: EvidenceDeps, call: KeyedCall): Promise<void> {
  const { request, response } = call;
  const { id } = await ownRecharge(deps, call);
  const pack = await deps.domain.evidence(id);
  if (pack === null) throw new Error(`recharge ${id} was read and is gone`);
  addHeader(response, 'vary', 'accept');
  if (preferredForm(request) === 'html') return sendPage(response, 200, evidencePage(pack, STYLE));
  addHeader(response, 'content-disposition', `attachment; filename="evidence-${id}.json"`);
  send(response, 200, 'application/json; charset=utf-8', JSON.stringify(pack));
}
