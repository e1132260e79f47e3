import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import type { Queues } from '@replenish/queues';
import type { RequestHandler } from 'express';

type BoardQueue = Awaited<ReturnType<Queues['boards']>>[number];

export interface Board {
  readonly handler: RequestHandler;
  show(queues: readonly BoardQueue[]): void;
}

/**
 * Bull Board, to look at only. A job is a hint: to retry or remove one changes nothing in the books, and would let a
 * person believe that it does. Money is moved on by the sweeper and by the operator's commands.
 */
export function openBoard(basePath: string): Board {
  const adapter = new ExpressAdapter();
  adapter.setBasePath(basePath);
  const board = createBullBoard({
    queues: [],
    serverAdapter: adapter,
    options: {
      uiConfig: { boardTitle: 'Replenish', miscLinks: [{ text: 'Sign out', url: '/logout' }] },
    },
  });
  return {
    handler: adapter.getRouter(),
    show: (queues) => board.replaceQueues(queues.map(readOnly)),
  };
}

function readOnly(queue: BoardQueue): BullMQAdapter {
  const adapter = new BullMQAdapter(queue, { readOnlyMode: true, allowRetries: false });
  // Whatever a job should come to carry, operators see its id.
  adapter.setFormatter('data', (data: { ids?: unknown } | null) => ({ ids: data?.ids }));
  adapter.setFormatter('returnValue', () => null);
  return adapter;
}
