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
 * A read-only Bull Board. A job is only a hint, so retrying or removing one would change no recharge, although an
 * operator might think so. Recharges are continued by the sweeper and by the commands for operators.
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
        miscLinks: [
          { text: 'Back to the console', url: '/' },
          { text: 'Sign out', url: '/logout' },
        ],
        favIcon: { default: favicon, alternative: favicon },
        // The link to the website of Bull Board is hidden.
        hideDocsLink: true,
        // The panel always describes Redis, but the queues may be on Postgres.
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

/**
 * Removes the links to fonts on another host from the board's page. The security policy blocks them, and each page
 * would log an error.
 */
const withoutForeignFonts: RequestHandler = (_request, response, next) => {
  const send = response.send.bind(response);
  response.send = (body: unknown) =>
    send(typeof body === 'string' ? body.replace(/<link href="https:\/\/fonts\.[^>]*>/g, '') : body);
  next();
};

function readOnly(queue: BoardQueue): BullMQAdapter {
  const adapter = new BullMQAdapter(queue, { readOnlyMode: true, allowRetries: false });
  // Operators see only the ids of a job, even if a job carries other data.
  adapter.setFormatter('data', (data: { ids?: unknown } | null) => ({ ids: data?.ids }));
  adapter.setFormatter('returnValue', () => null);
  return adapter;
}
