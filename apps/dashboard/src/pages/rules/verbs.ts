import { type Domain, isUuid, type RuleView } from '@replenish/domain';
import type { Queues } from '@replenish/queues';
import type { PageCall, ShownPage } from '../frame/call.js';
import { accountLink, time } from '../frame/format.js';
import { html } from '../frame/html.js';
import { doOfferedVerb, type OfferedVerb, type OfferedVerbDeps, offeredVerbPage } from '../frame/verb.js';
import { ruleState } from './list-page.js';

export type RuleVerbDeps = OfferedVerbDeps &
  Readonly<{ domain: Pick<Domain, 'rules' | 'payees'>; queues: Pick<Queues, 'hint'> }>;

export const ruleVerbs = ['pause', 'resume'] as const;
export type RuleVerb = (typeof ruleVerbs)[number];

export const verbWords: Readonly<Record<RuleVerb, string>> = {
  pause: 'Pause this rule',
  resume: 'Resume this rule',
};

/** The verbs that a rule allows now. A rule that waits to act may be paused as well, which ends the waiting. */
export const verbsOfRule = ({
  status,
  pausedBecause,
}: Pick<RuleView, 'status' | 'pausedBecause'>): readonly RuleVerb[] =>
  status === 'active' || pausedBecause === 'APPROVAL' ? ['pause'] : status === 'paused' ? ['resume'] : [];

const pauseWords = ({ pausedBecause }: RuleView, say: PageCall['say']): string[] => [
  say('The rule looks no more and makes no recharge until somebody resumes it.'),
  say('A recharge that is under way goes on.'),
  ...(pausedBecause === 'APPROVAL' ? [say('Its approval is refused.')] : []),
];

type PayeeOfRule = Awaited<ReturnType<RuleVerbDeps['domain']['payees']['of']>>;

const resumeWords = (payee: PayeeOfRule, say: PageCall['say']): string[] => [
  say('The rule looks at once. Its caps and its terms stay as they are.'),
  say('Earlier declines and bursts are forgiven, and the present payee is agreed to: {payee}', {
    payee: payee === null ? '-' : `${payee.provider} ${payee.to}`,
  }),
  say(
    'Above the limits for approvals a rule that was never approved, or whose payee has changed, waits for a second person first.',
  ),
];

// To resume a rule is to agree to its changed payee, which is as dangerous as the change itself. The payee of a rule that
// was not approved may have changed, too.
const mayAgreeToOtherPayee = ({ pausedBecause }: RuleView): boolean =>
  pausedBecause === 'NOT_APPROVED' || pausedBecause?.startsWith('PAYEE') === true;

async function offeredOf(deps: RuleVerbDeps, call: PageCall): Promise<OfferedVerb | null> {
  const { say, request } = call;
  const { rules, payees } = deps.domain;
  const id = String(request.params.id);
  const verb = ruleVerbs.find((one) => one === request.params.verb);
  const rule = verb && isUuid(id) ? await rules.one(id, null) : null;
  if (!rule || !verb) return null;
  const payee = await payees.of(rule.accountId);
  const address = `/rules/${rule.id}`;
  const isOffered = verbsOfRule(rule).includes(verb);
  return {
    ...{ title: say(verbWords[verb]), action: `${address}/${verb}`, back: address },
    about: html`<p class="headline">${ruleState(rule, say)} ${accountLink(rule.accountId)}</p>`,
    consequences: verb === 'pause' ? pauseWords(rule, say) : resumeWords(payee, say),
    stamp: [
      rule.status,
      rule.waiting?.approvalId ?? '-',
      rule.updatedAt.getTime(),
      payee?.updatedAt.getTime() ?? '-',
    ].join(' '),
    obstacle: isOffered ? null : say('Nothing was done: the rule is not in that state any more.'),
    isDangerous: verb === 'resume' && mayAgreeToOtherPayee(rule),
    filed: { verb: `console_${verb}`, subject: `rule ${rule.id}` },
    carryOut: async () => {
      const after =
        verb === 'pause'
          ? await rules.pause(id, null)
          : await rules.resume(id, null, { keyId: null, actor: call.user.name });
      if (verb === 'resume') void deps.queues.hint('automation', [rule.id]);
      const isWaiting = verb === 'resume' && after?.pausedBecause === 'APPROVAL';
      const isDone = isWaiting || after?.status === (verb === 'pause' ? 'paused' : 'active');
      return isDone ? null : say('Nothing was done: the rule is not in that state any more.');
    },
  };
}

export const ruleVerbPage = (deps: RuleVerbDeps, call: PageCall): Promise<ShownPage> =>
  offeredVerbPage(() => offeredOf(deps, call), call);

export const doRuleVerb = (deps: RuleVerbDeps, call: PageCall): Promise<ShownPage | null> =>
  doOfferedVerb(deps, () => offeredOf(deps, call), call);

export type StopVerb = 'stop' | 'start';

async function offeredStop({ domain }: RuleVerbDeps, call: PageCall, verb: StopVerb): Promise<OfferedVerb> {
  const { say, user } = call;
  const { isStopped, actor, at } = await domain.rules.stop();
  const isOffered = isStopped === (verb === 'start');
  const isStop = verb === 'stop';
  return {
    title: isStop ? say('Stop all rules') : say('Start all rules'),
    about: html`<p class="headline">${isStopped ? say('All rules are stopped') : say('The rules are at work')}${say(': ')}${actor} · ${time(at)}</p>`,
    consequences: isStop
      ? [say('No rule of any client makes a recharge. Recharges that are under way go on.')]
      : [say('The rules of all clients make recharges again, each within its caps.')],
    ...{ action: `/rules/${verb}`, back: '/rules', stamp: `${isStopped} ${at.getTime()}` },
    obstacle: isOffered
      ? null
      : isStopped
        ? say('Nothing was done: all rules are stopped already.')
        : say('Nothing was done: the rules are at work already.'),
    isDangerous: !isStop,
    filed: { verb: `console_${verb}`, subject: 'all rules' },
    carryOut: async () => {
      await domain.rules.setStopped(isStop, user.name);
      return null;
    },
  };
}

export const stopVerbPage = (deps: RuleVerbDeps, call: PageCall, verb: StopVerb): Promise<ShownPage> =>
  offeredVerbPage(() => offeredStop(deps, call, verb), call);

export const doStopVerb = (deps: RuleVerbDeps, call: PageCall, verb: StopVerb): Promise<ShownPage | null> =>
  doOfferedVerb(deps, () => offeredStop(deps, call, verb), call);
