import { type Domain, isCapReason, type LookResult } from '@replenish/domain';
import type { Providers } from '@replenish/providers';
import type { Queues } from '@replenish/queues';
import { Counter, crashPoint, type Frame, type Logger } from '@replenish/runtime';

export type LookerDeps = Readonly<{
  domain: Readonly<{ rules: Pick<Domain['rules'], 'look'> }>;
  providers: Pick<Providers, 'route'>;
  queues: Pick<Queues, 'hint'>;
  /** Reads the balance of the rule's cloud account, if it watches one. */
  readBalance: (ruleId: string) => Promise<void>;
  log: Logger;
  decisions: DecisionCounter;
}>;

export type DecisionCounter = Counter<'decided' | 'because'>;

export const openDecisionCounter = (registry: Frame['registry']): DecisionCounter =>
  new Counter({
    name: 'replenish_rule_decisions_total',
    help: 'Decisions of rules, by what was decided and why.',
    labelNames: ['decided', 'because'],
    registers: [registry],
  });

/**
 * Returns a function that lets a rule look and decide. Running it twice is safe: a decision is filed only on the version
 * of the rule that it was made on.
 */
export function looker(deps: LookerDeps): (id: string) => Promise<undefined> {
  return async (id) => {
    await deps.readBalance(id);
    crashPoint('automation.before-decision');
    const looked = await deps.domain.rules.look(id, deps.providers.route);
    crashPoint('automation.after-decision');
    if (looked) tell(deps, looked);
    return;
  };
}

/** Logs a reason when it begins. If the next look has the same reason, that look is only counted. */
function tell(
  { queues, log, decisions }: LookerDeps,
  { ruleId, accountId, decision, pause, isNew }: LookResult,
): void {
  const { decided, because, transactionId, provider, amountMinor, balanceMinor } = decision;
  decisions.inc({ decided, because });
  if (transactionId !== null && provider !== null)
    void queues.hint(`submission-${provider}`, [transactionId]);
  if (!isNew && transactionId === null) return;
  const level = pause !== null || because === 'NOTIFY_ONLY' || isCapReason(because) ? 'warn' : 'info';
  log[level](
    {
      ruleId,
      accountId,
      decided,
      because,
      transactionId,
      amountMinor,
      balanceMinor,
      pause,
    },
    pause === null ? 'a rule decided' : 'a rule paused: a person has to look at it',
  );
}
