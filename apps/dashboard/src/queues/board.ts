import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import type { Queues } from '@replenish/queues';
import { favicon } from '@replenish/runtime';
import express, { type RequestHandler } from 'express';

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
      uiConfig: {
        boardTitle: 'Replenish queues',
        miscLinks: [{ text: 'Sign out', url: '/logout' }],
        favIcon: { default: favicon, alternative: favicon },
        // Leads to the makers' site.
        hideDocsLink: true,
        // The queues may be on Postgres, and the panel would still speak of Redis.
        hideRedisDetails: true,
        jobDetails: { defaultTab: 'Data' },
      },
    },
  });
  return {
    handler: express().disable('x-powered-by').use(withoutForeignFonts, adapter.getRouter()),
    show: (queues) => board.replaceQueues(queues.map(readOnly)),
  };
}

/** The board's page asks another host for fonts, which the policy refuses: each page would log an error. */
const withoutForeignFonts: RequestHandler = (_request, response, next) => {
  const send = response.send.bind(response);
  response.send = (body: unknown) =>
    send(typeof body === 'string' ? body.replace(/<link href="https:\/\/fonts\.[^>]*>/g, '') : body);
  next();
};

function readOnly(queue: BoardQueue): BullMQAdapter {
  const adapter = new BullMQAdapter(queue, { readOnlyMode: true, allowRetries: false });
  // Whatever a job should come to carry, operators see its id.
  adapter.setFormatter('data', (data: { ids?: unknown } | null) => ({ ids: data?.ids }));
  adapter.setFormatter('returnValue', () => null);
  return adapter;
}
