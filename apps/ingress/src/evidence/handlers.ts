import { evidencePage } from '@replenish/assembly';
import type { Domain } from '@replenish/domain';
import { answer, preferredForm } from '../http/answers/answer.js';
import { addHeader, sendPage } from '../http/answers/send.js';
import type { KeyedCall } from '../http/operation.js';
import { readRecharge } from '../recharges/handlers.js';

export type EvidenceDeps = Readonly<{ domain: Pick<Domain, 'reads' | 'evidence'> }>;

/** The style sheet of the page. The security policy of our pages forbids styles inside them. */
const STYLE = '/docs/evidence.css';

export async function readEvidence(deps: EvidenceDeps, call: KeyedCall): Promise<void> {
  const { request, response } = call;
  const { id } = await readRecharge(deps, call);
  const pack = await deps.domain.evidence(id);
  if (pack === null) throw new Error(`recharge ${id} was read and is gone`);
  if (preferredForm(request) !== 'html') return answer(request, response, 'evidencePack', pack);
  addHeader(response, 'vary', 'accept');
  sendPage(response, 200, evidencePage(pack, STYLE));
}
