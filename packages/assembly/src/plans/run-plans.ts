import { setTimeout as delay } from 'node:timers/promises';
import type { Created, Domain, Key, NextPlanLine, PlanRefusal, TakenPlan } from '@replenish/domain';
import type { Providers } from '@replenish/providers';
import { crashPoint, type Logger, newId } from '@replenish/runtime';
import type { SortingProviders } from '../recharges/recharge-sort.js';
import { canaryRefusals, rechargeOfLine, refusalOf } from './line-recharge.js';

type PlanQueue = `submission-${string}`;

export type PlanRunnerDeps = Readonly<{
  domain: Pick<Domain, 'createRecharge'> & {
    readonly plans: Pick<Domain['plans'], 'move' | 'work'>;
    readonly clients: Pick<Domain['clients'], 'find'>;
  };
  providers: SortingProviders & Pick<Providers, 'names'>;
  queues: Readonly<{
    hint(queue: PlanQueue, ids: readonly string[]): Promise<boolean>;
    room(queues: readonly PlanQueue[]): Promise<number[]>;
  }>;
  log: Logger;
}>;

export interface PlanRunner {
  /** Ends after the batch of lines that is under way. */
  close(): Promise<void>;
}

// Two statements store a batch of this size. A pause waits for the one that is under way, and stops the other.
const LINES_TOGETHER = 64;
const IDLE_MS = 250;
const OPERATOR = 'operator';

/**
 * Runs the plans that are due, until it is closed: it creates the recharges of their lines. Several processes may run
 * plans at the same time, and each line has one recharge all the same, because its idempotency key follows from the
 * plan and the line. A plan creates no more than the workers take up, so a recharge of a client does not wait behind
 * thousands of lines, and a paused plan leaves little behind.
 */
export function runPlans(deps: PlanRunnerDeps): PlanRunner {
  const ending = new AbortController();
  const loop = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      const isMore = await runOne(deps).catch((error: unknown) => {
        deps.log.warn({ err: error }, 'a plan was interrupted; it goes on');
        return false;
      });
      if (!isMore) await delay(IDLE_MS, undefined, { signal: ending.signal, ref: false }).catch(() => {});
    }
  };
  const running = loop();
  return {
    close: async () => {
      ending.abort();
      await running;
    },
  };
}

/** Runs one batch of one plan. Returns whether there may be more to do. */
async function runOne(deps: PlanRunnerDeps): Promise<boolean> {
  const { work } = deps.domain.plans;
  const room = await roomIn(deps);
  if (room === 0) return false;
  const plan = await work.take();
  if (!plan) return false;
  if (plan.status === 'waiting') {
    await work.follow(plan.id);
    return true;
  }
  const max = Math.min(LINES_TOGETHER, room);
  const lines = await work.next(plan.id, max);
  if (lines.length > 0) return createBatch(deps, plan, lines, noteNext(work, plan, lines));
  const { lines: released, isMore } = await work.nextHeld(plan.id, max);
  if (released.length > 0) return createBatch(deps, plan, released, noteReleased(work, plan, released));
  if (isMore) {
    await work.release(plan.id, [], []);
    return true;
  }
  if (await work.settle(plan.id))
    deps.log.info({ planId: plan.id, correlationId: plan.correlationId }, 'plan finished');
  return true;
}

/** How many more recharges the fullest queue takes. Zero while the queues are away. */
async function roomIn({ providers, queues }: PlanRunnerDeps): Promise<number> {
  const names = providers.names.map((name): PlanQueue => `submission-${name}`);
  if (names.length === 0) return 0;
  return Math.min(...(await queues.room(names).catch(() => [0])));
}

/**
 * Notes what became of the lines of a batch. Those at the places `again` have another payee than they were judged with.
 * They are held, so that a look judges them again.
 */
type NoteBatch = (refusals: readonly PlanRefusal[], again: readonly number[]) => Promise<void>;

const noteNext =
  (
    work: PlanRunnerDeps['domain']['plans']['work'],
    { id }: TakenPlan,
    lines: readonly NextPlanLine[],
  ): NoteBatch =>
  (refusals, again) => {
    const held = lines.filter(({ canary }) => canary === 'under_way').map(({ place }) => place);
    return work.advance(id, lines.at(-1)!.place, refusals, [...held, ...again]);
  };

const noteReleased =
  (
    work: PlanRunnerDeps['domain']['plans']['work'],
    { id }: TakenPlan,
    lines: readonly NextPlanLine[],
  ): NoteBatch =>
  (refusals, again) => {
    const places = lines.map(({ place }) => place).filter((place) => !again.includes(place));
    return work.release(id, places, refusals);
  };

async function createBatch(
  deps: PlanRunnerDeps,
  plan: TakenPlan,
  lines: readonly NextPlanLine[],
  note: NoteBatch,
): Promise<boolean> {
  const { domain, queues, log } = deps;
  const key = plan.startedBy === OPERATOR ? null : await validKey(domain, plan.startedBy);
  if (key === 'gone') {
    await domain.plans.move({ planId: plan.id, verb: 'pause', by: OPERATOR, because: 'KEY_GONE' });
    log.warn({ planId: plan.id, keyId: plan.startedBy }, 'plan paused: the key that started it is gone');
    return true;
  }
  const free = lines.filter(({ canary }) => canary !== 'under_way');
  const results = await Promise.all(free.map((line) => createLine(deps, { plan, key }, line)));
  crashPoint('plans.after-create');
  const refusals = results.filter((result): result is PlanRefusal => 'code' in result);
  const again = results.filter((result) => 'isOutdated' in result).map(({ place }) => place);
  // The batch of a stopped plan is not noted as done. If the plan runs again, it gets the same batch again. Lines that
  // have a recharge by then keep it.
  const stopped = results.filter((result) => 'isStopped' in result);
  if (stopped.length === 0) await note(refusals, again);
  const context = { planId: plan.id, correlationId: plan.correlationId };
  const counts = {
    lines: lines.length,
    refused: refusals.length,
    held: lines.length - free.length + again.length,
    stopped: stopped.length,
  };
  log.info({ ...context, ...counts }, 'created the recharges of a plan');
  for (const [provider, ids] of byProvider(results)) void queues.hint(`submission-${provider}`, ids);
  return true;
}

type CreatedLine = Readonly<{ id: string; provider: string }>;
/** The payee of the line has changed since the line was judged. */
type OutdatedLine = Readonly<{ place: number; isOutdated: true }>;
/** The plan was paused or canceled before the recharge of the line was stored. */
type StoppedLine = Readonly<{ place: number; isStopped: true }>;
type LineResult = CreatedLine | OutdatedLine | StoppedLine | PlanRefusal;

/**
 * Creates the recharge of a line, or finds the one that it has. A line whose recharge the database refuses fails, so
 * that it does not stop the others. If it has a recharge all the same, its status is that of the recharge.
 */
async function createLine(
  { domain, providers, log }: PlanRunnerDeps,
  whose: Parameters<typeof rechargeOfLine>[1],
  line: NextPlanLine,
): Promise<LineResult> {
  if (line.canary === 'failed' || line.canary === 'missing')
    return { place: line.place, ...canaryRefusals[line.canary] };
  const ask = rechargeOfLine({ providers, newId }, whose, line);
  if ('code' in ask) return { place: line.place, ...ask };
  let created: Created;
  try {
    const conditions = { judgedPayee: line.judgedPayee, runningPlanId: whose.plan.id };
    created = await domain.createRecharge({ ...ask, ...conditions });
  } catch (error) {
    if (isStoreAway(error)) throw error;
    log.error({ err: error, planId: whose.plan.id, line: line.line }, 'the recharge of a line is refused');
    return { place: line.place, code: 'INTERNAL_ERROR', message: 'the recharge could not be stored' };
  }
  if (created.ok) return { id: created.recharge.id, provider: created.recharge.provider };
  const { problem } = created;
  if (problem === 'payee_changed') return { place: line.place, isOutdated: true };
  if (problem === 'plan_stopped') return { place: line.place, isStopped: true };
  return { place: line.place, ...refusalOf[problem] };
}

// The class is not imported: this package takes types only from the domain.
const isStoreAway = (error: unknown): boolean => error instanceof Error && error.name === 'StoreUnavailable';

/** The key that started a plan, as it is now. A key that was revoked or has expired starts no more lines. */
async function validKey(domain: PlanRunnerDeps['domain'], keyId: string): Promise<Key | 'gone'> {
  const found = await domain.clients.find(keyId);
  if (!found) return 'gone';
  const { expiresAt } = found.key;
  return expiresAt !== null && expiresAt <= new Date() ? 'gone' : found.key;
}

function byProvider(results: readonly LineResult[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const result of results)
    if ('id' in result) found.set(result.provider, [...(found.get(result.provider) ?? []), result.id]);
  return found;
}
