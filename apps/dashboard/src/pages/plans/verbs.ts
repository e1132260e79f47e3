import type { Domain, PlanStatus } from '@replenish/domain';
import type { PageCall, ShownPage } from '../frame/call.js';
import { mark, money } from '../frame/format.js';
import { html } from '../frame/html.js';
import { doOfferedVerb, type OfferedVerb, type OfferedVerbDeps, offeredVerbPage } from '../frame/verb.js';

export type PlanVerbDeps = OfferedVerbDeps & Readonly<{ domain: Pick<Domain, 'plans'> }>;

const planVerbs = ['pause', 'resume', 'cancel'] as const;
export type OfferedPlanVerb = (typeof planVerbs)[number];

export const planVerbWords: Readonly<Record<OfferedPlanVerb, string>> = {
  pause: 'Pause this plan',
  resume: 'Resume this plan',
  cancel: 'Cancel this plan',
};

const offered: Readonly<Record<PlanStatus, readonly OfferedPlanVerb[]>> = {
  draft: ['cancel'],
  waiting: ['cancel'],
  running: ['pause', 'cancel'],
  paused: ['resume', 'cancel'],
  finished: [],
  canceled: [],
};

/** The verbs that a plan allows now. */
export const verbsOfPlan = ({ status }: Readonly<{ status: PlanStatus }>): readonly OfferedPlanVerb[] =>
  offered[status];

async function offeredOf({ domain }: PlanVerbDeps, call: PageCall): Promise<OfferedVerb | null> {
  const { say, request } = call;
  const verb = planVerbs.find((one) => one === request.params.verb);
  const plan = verb ? await domain.plans.plain(String(request.params.id), null) : null;
  if (!plan || !verb) return null;
  const address = `/plans/${plan.id}`;
  const tooLate = say('Nothing was done: the plan is not in that state any more.');
  return {
    ...{ title: say(planVerbWords[verb]), action: `${address}/${verb}`, back: address },
    about: html`<p class="headline">${mark('waiting', say(plan.status))} ${plan.name} ${money(plan.totalMinor, plan.currency)}</p>`,
    consequences: [
      verb === 'resume'
        ? say('The recharges of its next lines are made again.')
        : verb === 'pause'
          ? say('No further line becomes a recharge until somebody resumes it.')
          : say('No further line becomes a recharge, ever.'),
      say('Recharges that are made already go on.'),
    ],
    stamp: plan.status,
    obstacle: verbsOfPlan(plan).includes(verb) ? null : tooLate,
    filed: { verb: `console_${verb}`, subject: `plan ${plan.id}` },
    carryOut: async () => {
      const moved = await domain.plans.move({ planId: plan.id, verb, by: 'operator' });
      return moved.ok ? null : tooLate;
    },
  };
}

export const planVerbPage = (deps: PlanVerbDeps, call: PageCall): Promise<ShownPage> =>
  offeredVerbPage(() => offeredOf(deps, call), call);

export const doPlanVerb = (deps: PlanVerbDeps, call: PageCall): Promise<ShownPage | null> =>
  doOfferedVerb(deps, () => offeredOf(deps, call), call);
