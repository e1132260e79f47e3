export const outageModes = {
  none: 'the provider works',
  down: 'connections to the provider API are closed without an answer; no webhook goes out until it ends',
  slow: 'every answer of the provider API waits 10 s; what was asked is done at once',
  errors: 'the provider API answers 500 and does nothing',
} as const;

export type OutageMode = keyof typeof outageModes;

export const isOutageMode = (given: unknown): given is OutageMode =>
  typeof given === 'string' && Object.hasOwn(outageModes, given);

/** The current outage. It is only in memory, so a restart of the simulator ends it. */
export type Outage = { mode: OutageMode };
