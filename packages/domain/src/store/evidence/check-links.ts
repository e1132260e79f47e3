import { isDeepStrictEqual } from 'node:util';
import { hashOf } from '../chain/links.js';
import type { EvidencePack, PackedLink, PackedPosting } from './pack.js';

/** The faults of the links, and of the rows that differ from what their links cover. */
export function checkLinks(pack: EvidencePack): string[] {
  const { links } = pack.chain;
  return [
    ...links.flatMap(hashFaults),
    ...links.slice(1).flatMap((link, nth) => orderFaults(links[nth]!, link)),
    ...headFaults(pack),
    ...rowFaults(pack),
  ];
}

const nameOf = ({ seq, source, rowKey }: PackedLink): string => `link ${seq} (${source} ${rowKey})`;

function hashFaults(link: PackedLink): string[] {
  const before = Buffer.from(String(link.before), 'hex');
  const computed = hashOf(before, link).toString('hex');
  return computed === link.hash ? [] : [`${nameOf(link)} has another hash than what it covers`];
}

function orderFaults(before: PackedLink, link: PackedLink): string[] {
  if (!(link.seq > before.seq)) return [`${nameOf(link)} is out of order`];
  const isNeighbour = link.seq === before.seq + 1;
  return isNeighbour && link.before !== before.hash
    ? [`${nameOf(link)} does not follow the link before it`]
    : [];
}

function headFaults({ chain: { head, links } }: EvidencePack): string[] {
  const last = links.at(-1);
  if (!last) return [];
  if (head === null || head.seq < last.seq) return [`the head of the chain is before ${nameOf(last)}`];
  return head.seq === last.seq && head.hash !== last.hash
    ? [`the head of the chain is not ${nameOf(last)}`]
    : [];
}

/** What the chain covers of a row, under the name of the row. */
type Covered = Readonly<{ source: string; rowKey: string; said: unknown }>;

function rowFaults(pack: EvidencePack): string[] {
  const rows = coveredRows(pack);
  const newest = new Map(pack.chain.links.map((link) => [`${link.source} ${link.rowKey}`, link]));
  const faults = rows.flatMap(({ source, rowKey, said }) => {
    const link = newest.get(`${source} ${rowKey}`);
    if (!link) return [`${source} ${rowKey} is not sealed: make the pack again in a minute`];
    return isDeepStrictEqual(coveredIn(link), said)
      ? []
      : [`${source} ${rowKey} is not what its link covers`];
  });
  const names = new Set(rows.map(({ source, rowKey }) => `${source} ${rowKey}`));
  const missing = [...newest].filter(([name]) => !names.has(name));
  return [...faults, ...missing.map(([name]) => `${name} has a link and is missing in the pack`)];
}

/** The part of a link's text that a pack has, too. */
function coveredIn({ source, body }: PackedLink): unknown {
  const read = parsed(body);
  if (source === 'case') return coveredOfCase(read as Record<string, unknown> | null);
  if (source !== 'journal' || !Array.isArray(read)) return read;
  const [transactionId, slot, , entries] = read as [string, string, number, unknown[][] | null];
  const postings = entries?.map(([entryId, , debit, credit, amount, currency, , , at]) => [
    ...[entryId, debit, credit, amount, currency, at],
  ]);
  return [transactionId, slot, postings];
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const coveredOfCase = (row: Record<string, unknown> | null) =>
  row && {
    ...{
      transactionId: row.transaction_id,
      kind: row.kind,
      openedAt: row.opened_at,
      closedAt: row.closed_at,
    },
    ...{ amount: row.amount_minor, currency: row.currency, detail: row.detail, evidence: row.evidence },
    ...{ resolution: row.resolution, verb: row.verb, actor: row.actor, reason: row.reason },
  };

const msOf = (time: string | null): number | null => (time === null ? null : Date.parse(time));

function coveredRows({ transitions, postings, cases, actions }: EvidencePack): Covered[] {
  const journals = new Map<string, PackedPosting[]>();
  for (const one of postings) journals.set(one.journalId, [...(journals.get(one.journalId) ?? []), one]);
  return [
    ...transitions.map((one) => ({
      source: 'transition',
      rowKey: `${one.transactionId} ${one.seq}`,
      said: [one.news, one.verdict, one.from, one.to, one.source, one.reason, msOf(one.at)],
    })),
    ...[...journals].map(([journalId, of]) => ({
      source: 'journal',
      rowKey: journalId,
      said: [
        of[0]!.transactionId,
        of[0]!.slot,
        of.map((one) => [one.entryId, one.debit, one.credit, one.amount, one.currency, msOf(one.at)]),
      ],
    })),
    ...cases.map(({ caseId, openedAt, closedAt, ...one }) => ({
      source: 'case',
      rowKey: caseId,
      said: { ...one, openedAt: msOf(openedAt), closedAt: msOf(closedAt) },
    })),
    ...actions.map((one) => ({
      source: 'action',
      rowKey: one.actionId,
      said: [
        ...[one.transactionId, one.caseId, one.actor, one.role, one.verb, one.subject, one.reason],
        ...[one.evidence, msOf(one.at)],
      ],
    })),
  ];
}
