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

/** Facts heard (accepted, unknown, settled, declined) and intents of ours (submit, cancel). */
export const news = ['submit', 'accepted', 'unknown', 'settled', 'declined', 'cancel'] as const;
export type News = (typeof news)[number];

export type Verdict = 'moved' | 'stale' | 'conflict';

type Cell = State | '-' | '!';
type Row<Heard extends readonly News[]> = { readonly [N in keyof Heard]: Cell };

// '-' stale: true once, tells us nothing now (a late webhook, a redelivered job). Nothing moves.
// '!' conflict: contradicts what we hold to be true. Nothing moves, a case is opened for a person.
// An order settled in CREATED is one that nobody here sent; one settled in FAILED or CANCELED is late money.
// biome-ignore format: the table is the point
const grid: Record<State, Row<typeof news>> = {
  //                       submit       accepted                unknown                 settled      declined  cancel
  CREATED:              [ 'SUBMITTED', '!',                    '!',                    '!',         '!',      'CANCELED' ],
  SUBMITTED:            [ '-',         'PENDING_CONFIRMATION', 'PENDING_CONFIRMATION', 'SUCCEEDED', 'FAILED', '!'        ],
  PENDING_CONFIRMATION: [ '-',         '-',                    '-',                    'SUCCEEDED', 'FAILED', 'CANCELED' ],
  SUCCEEDED:            [ '-',         '-',                    '-',                    '-',         '!',      '!'        ],
  FAILED:               [ '-',         '-',                    '-',                    '!',         '-',      '!'        ],
  CANCELED:             [ '-',         '-',                    '-',                    '!',         '-',      '-'        ],
};

export function step(from: State, heard: News): { verdict: Verdict; to: State } {
  const cell = grid[from][news.indexOf(heard)]!;
  if (cell === '-') return { verdict: 'stale', to: from };
  if (cell === '!') return { verdict: 'conflict', to: from };
  return { verdict: 'moved', to: cell };
}

/** Final: nothing more is due, and only a person can question it. */
export const isFinal = (state: State): boolean => grid[state].every((cell) => cell === '-' || cell === '!');
