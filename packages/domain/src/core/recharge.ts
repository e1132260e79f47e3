/**
 * The life of a recharge, whole. Words used throughout:
 * *recharge* one external effect; *news* what somebody reports about it; *report* news with its source and evidence;
 * *verdict* what news does: moved, stale or conflict; *slot* the one cause a journal is posted for.
 */
export const states = [
  'CREATED',
  'SUBMITTED',
  'PENDING_CONFIRMATION',
  'SUCCEEDED',
  'FAILED',
  'CANCELED',
] as const;
export type State = (typeof states)[number];

/** Intents of ours (submit, withdraw) and facts that a provider reports (accepted, unknown, settled, declined, canceled). */
export const news = ['submit', 'withdraw', 'accepted', 'unknown', 'settled', 'declined', 'canceled'] as const;
export type News = (typeof news)[number];

export type Verdict = 'moved' | 'stale' | 'conflict';

type Cell = State | '-' | '!';
type GridRow<Heard extends readonly News[]> = { readonly [N in keyof Heard]: Cell };

// '-' stale: true once, tells us nothing now (a late webhook, a redelivered job). Nothing moves.
// '!' conflict: contradicts what we hold to be true. Nothing moves, a case is opened for a person.
// In CREATED every fact is about an order that nobody here sent. Settled in FAILED or CANCELED is late money.
// An order that was canceled was taken before: in SUBMITTED that comes first, and its end is heard again when it is
// asked about.
const PENDING = 'PENDING_CONFIRMATION';
// biome-ignore format: the table is the point
const grid: Record<State, GridRow<typeof news>> = {
  //                       submit       withdraw    accepted  unknown  settled      declined  canceled
  CREATED:              [ 'SUBMITTED', 'CANCELED', '!',      '!',     '!',         '!',      '!'        ],
  SUBMITTED:            [ '-',         '-',        PENDING,  PENDING, 'SUCCEEDED', 'FAILED', PENDING    ],
  PENDING_CONFIRMATION: [ '-',         '-',        '-',      '-',     'SUCCEEDED', 'FAILED', 'CANCELED' ],
  SUCCEEDED:            [ '-',         '-',        '-',      '-',     '-',         '!',      '!'        ],
  FAILED:               [ '-',         '-',        '-',      '-',     '!',         '-',      '!'        ],
  CANCELED:             [ '-',         '-',        '-',      '-',     '!',         '-',      '-'        ],
};

export function step(from: State, heard: News): { verdict: Verdict; to: State } {
  const cell = grid[from][news.indexOf(heard)]!;
  if (cell === '-') return { verdict: 'stale', to: from };
  if (cell === '!') return { verdict: 'conflict', to: from };
  return { verdict: 'moved', to: cell };
}

/** Final: nothing more is due, and only a person can question it. */
export const isFinal = (state: State): boolean => grid[state].every((cell) => cell === '-' || cell === '!');
