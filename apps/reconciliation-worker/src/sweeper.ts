import type { Domain, Due } from '@replenish/domain';
import type { QueueName, Queues } from '@replenish/queues';
import { crashPoint, type Logger } from '@replenish/runtime';

export type SweeperDeps = Readonly<{
  domain: Pick<Domain, 'takeDue'> & Readonly<{ clients: Pick<Domain['clients'], 'forgetNonces'> }>;
  queues: Pick<Queues, 'hint'>;
  /** Those whose queues somebody works on. */
  providers: readonly string[];
  log: Logger;
}>;

// A batch is one statement and one bulk add a queue. Forty of them, 20,000 rows, are what one run hints at most: the
// rest is due still, and a queue that is filled faster than it is worked off helps nobody.
const BATCH_MAX = 500;
const BATCHES_A_RUN = 40;
// Nonces of signed requests are kept for a quarter of an hour; a minute more is nothing.
const FORGET_GAP_MS = 60_000;

/** Turns due rows into jobs. The one mechanism that heals lost hints, dead workers and silent providers. */
export function sweeper({ domain, queues, providers, log }: SweeperDeps): () => Promise<undefined> {
  let forgotAt = Number.NEGATIVE_INFINITY;
  return async () => {
    let taken = 0;
    for (let batch = 0; batch < BATCHES_A_RUN; batch++) {
      const due = await domain.takeDue(BATCH_MAX);
      crashPoint('reconciliation.after-take');
      taken += due.length;
      const served = due.filter((one) => one.what === 'event' || providers.includes(one.provider));
      if (served.length < due.length)
        log.error(
          { recharges: due.length - served.length },
          'recharges of a provider that is not configured',
        );
      const hinted = await Promise.all([...byQueue(served)].map(([queue, ids]) => queues.hint(queue, ids)));
      if (due.length < BATCH_MAX || hinted.includes(false)) break;
    }
    if (taken > 0) log.info({ taken }, 'swept');
    if (performance.now() - forgotAt > FORGET_GAP_MS) {
      forgotAt = performance.now();
      await domain.clients.forgetNonces();
    }
    return;
  };
}

const queueOf = (due: Due): QueueName => {
  if (due.what === 'event') return 'webhooks';
  return due.nextStep === 'submit' ? `submission-${due.provider}` : `reconciliation-${due.provider}`;
};

function byQueue(due: readonly Due[]): Map<QueueName, string[]> {
  const ids = new Map<QueueName, string[]>();
  for (const one of due) {
    const queue = queueOf(one);
    ids.set(queue, [...(ids.get(queue) ?? []), one.id]);
  }
  return ids;
}
