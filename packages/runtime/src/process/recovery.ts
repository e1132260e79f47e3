import type { Logger } from '../observe/log.js';

export type RecoveryDeps = Readonly<{
  log: Logger;
  /** Makes the recharges due that the provider's silence put off. Resolves with their number. */
  pullForward: (provider: string) => Promise<number>;
  /** After recharges were made due. */
  onDue?: () => void;
}>;

/** What a worker does when a provider answers again: nobody waits out the patience that an outage has built up. */
export function openRecovery({ log, pullForward, onDue }: RecoveryDeps): (provider: string) => void {
  return (provider) => {
    pullForward(provider).then(
      (recharges) => {
        log.info({ provider, recharges }, 'the provider answers again; what it kept waiting is due now');
        if (recharges > 0) onDue?.();
      },
      (error: unknown) =>
        log.warn({ err: error, provider }, 'what the provider kept waiting keeps its due times'),
    );
  };
}
