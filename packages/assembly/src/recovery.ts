import type { Logger } from '@replenish/runtime';

export type RecoveryDeps = Readonly<{
  log: Logger;
  /** Makes the recharges due that were postponed because the provider was silent. Resolves with their number. */
  pullForward: (of: Readonly<{ provider: string; providerAccount: string }>) => Promise<number>;
  /** Called after recharges were made due. */
  onDue?: () => void;
}>;

/**
 * Returns the handler for a provider that answers again after an outage. During the outage the recharges were postponed
 * by growing gaps. The handler makes them due now.
 */
export function openRecovery({
  log,
  pullForward,
  onDue,
}: RecoveryDeps): (of: Readonly<{ provider: string; account: string }>) => void {
  return ({ provider, account: providerAccount }) => {
    pullForward({ provider, providerAccount }).then(
      (recharges) => {
        log.info(
          { provider, providerAccount, recharges },
          'the provider answers again; recharges that waited for it are due now',
        );
        if (recharges > 0) onDue?.();
      },
      (error: unknown) =>
        log.warn(
          { err: error, provider, providerAccount },
          'the provider answers again, but its recharges keep their due times',
        ),
    );
  };
}
