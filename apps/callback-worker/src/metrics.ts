import type { Domain } from '@replenish/domain';
import { Counter, type Frame, Gauge } from '@replenish/runtime';

export type CallbackCounter = Counter<'result'>;

export const openCallbackCounter = (registry: Frame['registry']): CallbackCounter =>
  new Counter({
    name: 'replenish_callbacks_total',
    help: 'Attempts to post an event to a client by result: delivered, pending (it is tried again), failed or gone.',
    labelNames: ['result'],
    registers: [registry],
  });

const GAUGES = {
  pending: ['replenish_callbacks_pending', 'Events on their way to clients, 10,000 at most.'],
  failingReceivers: ['replenish_callback_receivers_failing', 'Receivers whose last attempt failed.'],
  disabledEndpoints: ['replenish_callback_endpoints_disabled', 'Endpoints that take no events any more.'],
} as const;

/** Gauges that are read from the database at each scrape. If the database is down, they are missing. */
export function watchCallbacks(
  registry: Frame['registry'],
  callbacks: Pick<Domain['callbacks'], 'backlog'>,
): void {
  for (const [part, [name, help]] of Object.entries(GAUGES))
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        const backlog = await callbacks.backlog().catch(() => null);
        if (backlog) this.set(backlog[part as keyof typeof GAUGES]);
        else this.reset();
      },
    });
}
