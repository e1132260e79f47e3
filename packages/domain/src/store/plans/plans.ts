import type { Ceiling } from '../ceilings/ceiling.js';
import type { Store } from '../database/database.js';
import { isUuid } from '../database/storable.js';
import type { RechargeAsk } from '../recharges/creation/ceiling-keeper.js';
import type { TrialProblem } from '../recharges/creation/trial.js';
import { type CreatedPlan, createPlan } from './create.js';
import { followPlanApproval } from './follow-approval.js';
import { type HeldLook, newPayeesOf, nextHeldLines } from './held.js';
import { type MovedPlan, movePlan, type PlanMove } from './move.js';
import type { NewPlan } from './new-plan.js';
import {
  listPlans,
  type PlanFilter,
  type PlanPage,
  type PlanProgress,
  planById,
  planByName,
  planLines,
  planProgress,
} from './read.js';
import { tryPlan } from './trial.js';
import type { PlanLineView, PlanView, PlanViewer } from './view.js';
import {
  advancePlan,
  type NextPlanLine,
  nextPlanLines,
  type PlanRefusal,
  releaseHeld,
  settlePlan,
  type TakenPlan,
  takePlan,
} from './work.js';

/** Many recharges that are checked together and started together. */
export interface Plans {
  /** Stores a plan as a draft. One with the same name and content is the same plan. */
  create(plan: NewPlan): Promise<CreatedPlan>;
  /** The accounts among these whose payee is new. A plan with a canary first sends them a small line. */
  newPayees(accountIds: readonly string[], currency: string): Promise<ReadonlySet<string>>;
  /** What would become of the recharges of a plan, if they were created now: the refusals by id. It stores nothing. */
  try(asks: readonly RechargeAsk[], ceiling: Ceiling | undefined): Promise<ReadonlyMap<string, TrialProblem>>;
  list(filter: PlanFilter): Promise<PlanPage>;
  /** The progress of plans. */
  progress(plans: readonly PlanView[]): Promise<PlanProgress[]>;
  /** A plan without its progress. Null if there is no such plan that the viewer may see. */
  plain(planId: string, viewer: PlanViewer): Promise<PlanView | null>;
  /** A plan with its progress. Null if there is no such plan that the viewer may see. */
  one(planId: string, viewer: PlanViewer): Promise<PlanProgress | null>;
  /** The plan of a client with a name, with its progress. */
  named(clientId: string, name: string): Promise<PlanProgress | null>;
  /** The lines after a place, in their order. It does not check whether the caller may see the plan: `plain` does. */
  lines(planId: string, page: Readonly<{ afterPlace: number; limit: number }>): Promise<PlanLineView[]>;
  move(move: Omit<PlanMove, 'approval'>): Promise<MovedPlan>;
  readonly work: PlanWork;
}

/**
 * The steps of a worker. It takes a plan, creates the recharges of its next lines, and advances it. If it dies between
 * two steps, the next worker creates the same recharges again, with the same keys: so each line has one.
 */
export interface PlanWork {
  take(): Promise<TakenPlan | null>;
  /** Lets a plan that waits follow its approval, if that is decided or has expired. */
  follow(planId: string): Promise<void>;
  next(planId: string, max: number): Promise<NextPlanLine[]>;
  /**
   * Notes that each line up to a place has its recharge or its refusal, or is held. `held` has the places of the held
   * lines.
   */
  advance(
    planId: string,
    upTo: number,
    refusals: readonly PlanRefusal[],
    held?: readonly number[],
  ): Promise<void>;
  nextHeld(planId: string, max: number): Promise<HeldLook>;
  /** Notes that the lines at these places, which were held, have their recharge or their refusal. */
  release(planId: string, places: readonly number[], refusals: readonly PlanRefusal[]): Promise<void>;
  /** Returns whether the plan has just finished. */
  settle(planId: string): Promise<boolean>;
}

type PlansDeps = Readonly<{ newId: () => string; approving: Readonly<{ expiresMs: number }> }>;

export const openPlans = (
  { run, read }: Pick<Store, 'run' | 'read'>,
  { newId, approving: { expiresMs } }: PlansDeps,
): Plans => ({
  create: (plan) => createPlan(run, plan),
  try: (asks, ceiling) => tryPlan(read, asks, ceiling),
  newPayees: (accountIds, currency) => newPayeesOf(read, accountIds, currency),
  list: (filter) => listPlans(read, filter),
  progress: (plans) => planProgress(read, plans),
  plain: async (planId, viewer) => (isUuid(planId) ? planById(read, planId, viewer) : null),
  one: async (planId, viewer) => {
    const plan = isUuid(planId) ? await planById(read, planId, viewer) : null;
    return plan && (await planProgress(read, [plan]))[0]!;
  },
  named: async (clientId, name) => {
    const plan = await planByName(read, clientId, name);
    return plan && (await planProgress(read, [plan]))[0]!;
  },
  lines: (planId, page) => planLines(read, planId, page),
  move: (move) => movePlan(run, { ...move, approval: { id: newId(), expiresMs } }),
  work: {
    take: () => takePlan(run),
    follow: (planId) => followPlanApproval(run, planId),
    next: (planId, max) => nextPlanLines(run, planId, max),
    advance: (planId, upTo, refusals, held = []) => advancePlan(run, planId, upTo, { refusals, held }),
    nextHeld: (planId, max) => nextHeldLines(run, planId, max),
    release: (planId, places, refusals) => releaseHeld(run, planId, places, refusals),
    settle: (planId) => settlePlan(run, planId),
  },
});
