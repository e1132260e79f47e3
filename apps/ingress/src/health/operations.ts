import type { OpenOperation } from '../http/operation.js';
import { alive, type HealthDeps, ready } from './handlers.js';
import { Health } from './schemas.js';

export const health: readonly OpenOperation<HealthDeps>[] = [
  {
    method: 'get',
    paths: ['/healthz'],
    id: 'getHealth',
    tag: 'service',
    summary: 'Check that the process is alive',
    description: 'Asks nothing else. For the supervisor that restarts the process.',
    answers: { 200: [{ Health }, 'The process is alive'] },
    problems: ['INTERNAL_ERROR'],
    handle: alive,
  },
  {
    method: 'get',
    paths: ['/readyz'],
    id: 'getReadiness',
    tag: 'service',
    summary: 'Check that the process can accept recharges',
    description: 'Asks the database and the queue. For the load balancer in front.',
    answers: {
      200: [{ Health }, 'Requests may be sent here'],
      503: [{ Health }, 'Not ready: the database or the queue does not answer'],
    },
    headers: { 503: ['Retry-After'] },
    problems: ['INTERNAL_ERROR'],
    handle: ready,
  },
];
