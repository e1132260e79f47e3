/** The states of a recharge and their moves. docs/design.md explains the words. */
export const states = [
  'CREATED',
  'SUBMITTED',
  'PENDING_CONFIRMATION',
  'SUCCEEDED',
  'FAILED',
  'CANCELED',
] as const;
export type State = (typeof states)[number];

/**
 * Our intents (submit, withdraw), the facts that a provider reports (accepted, unknown, settled, declined, canceled),
 * and the decisions of a person about a case. Adopted: the recharge's own money, which came late, is credited. Resolved:
 * the case is closed, and the recharge stays in its state.
 */
export const news = [
  'submit',
  'withdraw',
  'accepted',
  'unknown',
  'settled',
  'declined',
  'canceled',
  'adopted',
  'resolved',
] as const;
export type News = (typeof news)[number];

/** Whether only a person's resolution brings the news. */
export const isOfPersons = (heard: News): boolean => heard === 'adopted' || heard === 'resolved';

export type Verdict = 'moved' | 'stale' | 'conflict';

type Cell = State | '-' | '!';
type GridRow<Heard extends readonly News[]> = { readonly [N in keyof Heard]: Cell };

// '-' is stale: the news was true once and tells nothing new (a late webhook, a repeated job). Nothing moves.
// '!' is a conflict: the news contradicts the books. Nothing moves, and a case is opened for a person.
// In CREATED every fact is about an order that this fleet has not sent. Settled in FAILED or CANCELED is late money.
// A provider accepts an order before it cancels the order. So canceled in SUBMITTED first moves to
// PENDING_CONFIRMATION, and the next query reports the cancel again.
// Only late money can be adopted, so adopted is stale everywhere else.
const PENDING = 'PENDING_CONFIRMATION';
// biome-ignore format: the table is the point
const grid: Record<State, GridRow<typeof news>> = {
  //                       submit       withdraw    accepted  unknown  settled      declined  canceled  adopted      resolved
  CREATED:              [ 'SUBMITTED', 'CANCELED', '!',      '!',     '!',         '!',      '!',      '-',         '-' ],
  SUBMITTED:            [ '-',         '-',        PENDING,  PENDING, 'SUCCEEDED', 'FAILED', PENDING,  '-',         '-' ],
  PENDING_CONFIRMATION: [ '-',         '-',        '-',      '-',     'SUCCEEDED', 'FAILED', 'CANCELED', '-',       '-' ],
  SUCCEEDED:            [ '-',         '-',        '-',      '-',     '-',         '!',      '!',      '-',         '-' ],
  FAILED:               [ '-',         '-',        '-',      '-',     '!',         '-',      '!',      'SUCCEEDED', '-' ],
  CANCELED:             [ '-',         '-',        '-',      '-',     '!',         '-',      '-',      'SUCCEEDED', '-' ],
};

export function step(from: State, heard: News): { verdict: Verdict; to: State } {
  const cell = grid[from][news.indexOf(heard)]!;
  if (cell === '-') return { verdict: 'stale', to: from };
  if (cell === '!') return { verdict: 'conflict', to: from };
  return { verdict: 'moved', to: cell };
}

/** A recharge in a final state is never due. Only a person can correct it: by `adopted`, out of FAILED and CANCELED. */
export const isFinal = (state: State): boolean =>
  news.every((heard) => heard === 'adopted' || step(state, heard).verdict !== 'moved');
