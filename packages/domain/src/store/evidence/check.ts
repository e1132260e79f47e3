import { checkBooksOf } from './check-books.js';
import { checkLinks } from './check-links.js';
import { EVIDENCE_FORMAT, type EvidencePack } from './pack.js';

/** One sentence per fault. `proven` names what was recomputed, and `unknown` what a file alone cannot show. */
export type EvidenceCheck = Readonly<{
  ok: boolean;
  faults: readonly string[];
  proven: readonly string[];
  unknown: readonly string[];
}>;

/**
 * Checks a pack without the database: the hashes of its links, that its rows say what their links say, that its
 * transitions follow each other, and that its postings are what the states of its transactions call for.
 */
export function checkEvidence(pack: EvidencePack): EvidenceCheck {
  const faults = faultsIn(pack);
  const { transitions, postings, chain } = pack;
  return {
    ok: faults.length === 0,
    faults,
    proven:
      faults.length > 0
        ? []
        : [
            `the hashes of ${chain.links.length} links of the chain, and that the rows of the pack say what these links cover`,
            `${transitions.length} transitions follow each other without a gap`,
            `${postings.length} postings add up to the sums of the pack, and are what the states call for`,
          ],
    unknown: unknownOf(pack),
  };
}

/** A field of another type than a pack has makes it unreadable. */
function faultsIn(pack: EvidencePack): string[] {
  try {
    return [...checkLinks(pack), ...checkBooksOf(pack)];
  } catch (error) {
    return [`the pack cannot be read: ${(error as Error).message}`];
  }
}

function unknownOf({ chain, madeAt, calls, webhooks }: EvidencePack): string[] {
  const last = chain.links.at(-1);
  return [
    ...(last
      ? [
          `whether these links are in the chain of the books: compare link ${last.seq}, hash ${last.hash}, with report.chain, or with a kept head of that number`,
        ]
      : []),
    'whether cases, decisions or refunds were left out of the pack',
    `the request, ${calls.length} calls to the provider and ${webhooks.length} webhooks: the chain does not cover them`,
    `what happened after ${madeAt}`,
  ];
}

/** Reads a pack from the text of a file. Null if it is none. */
export function evidenceFrom(text: string): EvidencePack | null {
  try {
    const read = JSON.parse(text) as EvidencePack | null;
    return read?.format === EVIDENCE_FORMAT && hasLists(read) ? read : null;
  } catch {
    return null;
  }
}

const LISTS = ['parts', 'transitions', 'calls', 'webhooks', 'postings', 'sums', 'cases', 'actions'] as const;

const hasLists = (pack: EvidencePack): boolean =>
  LISTS.every((name) => isObjects(pack[name])) &&
  isObjects([pack.recharge, pack.request, pack.chain]) &&
  isObjects(pack.parts.flatMap(({ recharge, request }) => [recharge, request])) &&
  isObjects(pack.chain.links) &&
  isObjects(pack.chain.unsealed);

const isObjects = (value: unknown): boolean =>
  Array.isArray(value) && value.every((one) => typeof one === 'object' && one !== null);
