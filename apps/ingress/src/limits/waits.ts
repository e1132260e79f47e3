import { type Frame, Gauge } from '@replenish/runtime';
import type { Response } from 'express';
import { callOf } from '../http/call.js';
import type { Overload } from './overload.js';

export type WaitsConfig = Readonly<{
  /** The numbers of calls that may wait in this process at the same time, for all clients together and per client. */
  max: number;
  perClientMax: number;
  overload: Pick<Overload, 'rest'>;
  registry: Frame['registry'];
}>;

export interface Waits {
  /**
   * Lets a call wait. Meanwhile it does not count as work, because thousands of waiting calls must not cause the
   * refusal of new recharges. Returns the function that ends the wait. If too many calls are waiting, it returns null,
   * and the call is answered with the current state.
   */
  begin(response: Response): (() => void) | null;
}

// Each waiting call holds a connection for up to 30 s. All together hold a fifth of the connections of one process.
export const waitsMax = { max: 2_000, perClientMax: 500 } as const;

export function openWaits({ max, perClientMax, overload, registry }: WaitsConfig): Waits {
  const byClient = new Map<string, number>();
  let all = 0;
  new Gauge({
    name: 'replenish_requests_waiting',
    help: 'Calls that wait for the outcome of a recharge.',
    registers: [registry],
    collect() {
      this.set(all);
    },
  });
  const add = (clientId: string, change: 1 | -1): void => {
    const count = (byClient.get(clientId) ?? 0) + change;
    if (count === 0) byClient.delete(clientId);
    else byClient.set(clientId, count);
    all += change;
  };
  return {
    begin: (response) => {
      const { clientId } = callOf(response).key!;
      if (all >= max || (byClient.get(clientId) ?? 0) >= perClientMax) return null;
      overload.rest(response);
      add(clientId, 1);
      return () => add(clientId, -1);
    },
  };
}
