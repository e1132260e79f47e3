/** Every fault that a test can order, with its meaning. */
export const behaviours = {
  timeout_after_transfer: 'executes the call, holds it open and never answers',
  timeout_before_transfer: 'executes nothing, holds the call open and never answers',
  reset_after_transfer: 'executes the call, then resets the connection',
  server_error_after_transfer: 'executes the call, answers 500 InternalError',
  html_answer: 'executes the call, answers 200 with an HTML page',
  throttled: 'executes nothing, answers 400 Throttling.User with x-acs-retry-after',
  not_enough: 'executes nothing, answers 400 AvailableTransferAmountNotEnough',
  visible_late: 'executes the call; the transaction list shows it `delayMs` later',
  list_throttled: 'answers the transaction list with 400 Throttling.User',
  list_moves: 'shows a further transfer before each page but the first, so that the rows of the pages move',
} as const;

export type BehaviourName = keyof typeof behaviours;
export type Behaviour = Readonly<{ scenario: BehaviourName; delayMs: number }>;

const ofTheList: readonly BehaviourName[] = ['list_throttled', 'list_moves'];

export const isBehaviour = (given: unknown): given is BehaviourName =>
  typeof given === 'string' && Object.hasOwn(behaviours, given);

type Ordered = { behaviour: Behaviour; times: number };

/**
 * The ordered faults of the next calls. They are only in memory, so a restart ends them. For one receiver the newest
 * order holds, and it precedes an order for every receiver.
 */
export class Behaviours {
  readonly #ofWrites = new Map<string, Ordered>();
  readonly #ofLists = new Map<string, Ordered>();

  order(behaviour: Behaviour, times: number, to: string | undefined): void {
    const queue = ofTheList.includes(behaviour.scenario) ? this.#ofLists : this.#ofWrites;
    queue.set(to ?? '*', { behaviour, times });
  }

  /** Takes the fault of a call that moves money to this receiver. */
  takeForWrite(to: string): Behaviour | undefined {
    return take(this.#ofWrites, to);
  }

  /** Takes the fault of a look at the transaction list of this account. */
  takeForList(accountId: string): Behaviour | undefined {
    return take(this.#ofLists, accountId);
  }
}

function take(queue: Map<string, Ordered>, name: string): Behaviour | undefined {
  const key = queue.has(name) ? name : '*';
  const ordered = queue.get(key);
  if (!ordered) return undefined;
  ordered.times--;
  if (ordered.times <= 0) queue.delete(key);
  return ordered.behaviour;
}
