import type { BalanceFigure, DecisionReason, FiledDecision, RuleMode, RuleView } from '@replenish/domain';

/** What a rule does when a balance is low. */
export const modeWords: Readonly<Record<RuleMode, string>> = {
  notify: 'tells about it',
  propose: 'proposes a recharge',
  execute: 'recharges',
};

export const watchWords: Readonly<Record<RuleView['watch'], string>> = {
  cloud: 'cloud account',
  wallet: 'wallet',
};

/** The figure of a balance that a rule compares. */
export const figureWords: Readonly<Record<BalanceFigure, string>> = {
  available: 'all that is available',
  cash: 'cash alone',
};

export const decidedWords: Readonly<Record<FiledDecision['decided'], string>> = {
  recharge: 'recharge',
  nothing: 'nothing',
  held_back: 'held back',
};

/** The reason of a decision or of a pause. */
export const becauseWords: Readonly<Record<DecisionReason, string>> = {
  BELOW_THRESHOLD: 'below the threshold',
  RUNWAY_SHORT: 'used up too soon',
  ENOUGH: 'enough is there',
  DORMANT: 'the balance does not fall',
  NOTIFY_ONLY: 'it only tells',
  EXPIRED: 'its time is over',
  STOPPED: 'all rules are stopped',
  BALANCE_UNKNOWN: 'the balance is not known',
  NO_CASH_FIGURE: 'the cash of the account is not told',
  UNDER_WAY: 'money is under way',
  CASE_OPEN: 'a case is open',
  COOLDOWN: 'too soon after the last recharge',
  QUIET_HOURS: 'quiet hours',
  CAP_REACHED: 'a cap is reached',
  OWNER_CAP: 'the cap over the rules of its client is reached',
  SOURCE_CAP: 'the cap over the account that pays is reached',
  FLEET_CAP: 'the cap over all rules is reached',
  BACK_OFF: 'it waits after a decline',
  INSUFFICIENT_BALANCE: 'the paying wallet holds too little',
  KEY_CEILING: 'the ceiling of its key is reached',
  BEYOND_BALANCE: 'the wallet cannot hold more',
  OTHER_CURRENCY: 'the payee has another currency',
  NO_PROVIDER: 'no provider for its payment method',
  BY_REQUEST: 'somebody paused it',
  APPROVAL: 'a second person has to approve it',
  NOT_APPROVED: 'it was not approved',
  DECLINED_REPEATEDLY: 'declined repeatedly',
  BURST: 'too many recharges in a short time',
  PAYEE_GONE: 'the payee is gone',
  PAYEE_CHANGED: 'the payee has changed',
  AUTHENTICATION_REQUIRED: 'a person has to pay or to confirm',
  SOURCE_REFUSED: 'what pays may not be used any more',
  PAID_BACK: 'its money was paid back',
  KEY_GONE: 'its key is gone',
};
