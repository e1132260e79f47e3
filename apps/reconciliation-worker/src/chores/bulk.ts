import { type Domain, type IsRefunding, StoreUnavailable, type TakenBulk } from '@replenish/domain';
import { type Queues, queueOf } from '@replenish/queues';
import type { Logger } from '@replenish/runtime';
import type { Chore } from './chores.js';

type BulkParts = Readonly<{
  domain: Pick<Domain, 'bulks' | 'recheck' | 'cases'>;
  queues: Pick<Queues, 'hint'>;
  isRefunding: IsRefunding;
  log: Logger;
}>;

const LOOK_EVERY_MS = 1_000;

/** The chore that carries out the bulk verbs that people have started, one item after the other. */
export function bulkChore(parts: BulkParts): Chore {
  const { bulks } = parts.domain;
  const run = async (): Promise<void> => {
    for (let bulk = await bulks.take(); bulk; bulk = await bulks.take()) await carryOut(parts, bulk);
  };
  return { name: 'bulk verbs', everyMs: LOOK_EVERY_MS, run };
}

/** A worker that dies leaves items without an outcome, and another one goes on with them. */
async function carryOut(parts: BulkParts, bulk: TakenBulk): Promise<void> {
  const { domain, log } = parts;
  const { bulks } = domain;
  const { id, verb, actor } = bulk;
  let items = 0;
  for (let item = await bulks.next(id); item !== 'over'; item = await bulks.next(id)) {
    const { position, subject } = item;
    const act = verb === 'recheck' ? rechecked : dismissed;
    const outcome = await act(parts, bulk, subject).catch((error: unknown) => {
      if (error instanceof StoreUnavailable) throw error;
      log.error({ err: error, bulk: id, subject }, 'an item of a bulk verb failed');
      return 'failed';
    });
    await bulks.file({
      bulk,
      position,
      subject,
      outcome,
      filesAct: verb === 'recheck' && outcome === 'done',
    });
    items++;
  }
  log.info({ bulk: id, verb, actor, items }, 'a bulk verb was carried out');
}

async function rechecked(
  { domain, queues }: BulkParts,
  { actor, role, reason }: TakenBulk,
  transactionId: string,
): Promise<string> {
  const { outcome, due } = await domain.recheck({ transactionId, by: `${role} ${actor}`, reason });
  // The hint is not awaited. The recharge is due, so without the hint it is only continued later, by the next sweep.
  if (due) void queues.hint(queueOf({ what: 'recharge', ...due }), [transactionId]);
  // The provider was asked a moment ago, in an earlier try of this item or by another person.
  return outcome === 'asking' || outcome === 'too_soon' ? 'done' : outcome;
}

async function dismissed(
  { domain, isRefunding }: BulkParts,
  { id, actor, role, reason }: TakenBulk,
  caseId: string,
): Promise<string> {
  const answer = await domain.cases.resolve(
    {
      ...{ caseId, verb: 'dismiss', reason, actor, role, viewer: null, idempotencyKey: null },
      evidence: { bulk: id },
    },
    isRefunding,
  );
  if (answer.ok) return 'done';
  const one = answer.problem === 'case_closed' ? await domain.cases.one(caseId, null, isRefunding) : null;
  const given = one?.evidence.given as Readonly<{ bulk?: unknown }> | undefined;
  // A worker has closed the case for this item and died before it recorded the outcome.
  return given?.bulk === id ? 'done' : answer.problem;
}
