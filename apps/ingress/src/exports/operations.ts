import { KEYED_CALL, type KeyedOperation, keyed } from '../http/operation.js';
import { type ExportDeps, exportSettlements } from './handlers.js';
import { SettlementQuery } from './input.js';

export const exports: readonly KeyedOperation<ExportDeps>[] = [
  keyed({
    method: 'get',
    paths: ['/v1/exports/settlements'],
    id: 'exportSettlements',
    tag: 'accounts',
    summary: 'Export what was settled on one day',
    description:
      'Every transaction whose money moved on the day, of all clients and all accounts of the key, in the order of settlement, as `text/csv`. `amount` is in minor units, `exponent` is the number of decimals of the currency. It is above zero for money that came in through the provider (`collect`, `recall`) and below zero for money that went out (`deliver`, `refund`). The file is sent while it is read.',
    scope: 'finance:read',
    query: SettlementQuery,
    answers: { 200: ['bytes', 'The file, with a line of names'] },
    csv: true,
    problems: KEYED_CALL,
    meanings: { UNAUTHORIZED: 'The key lacks the scope, or is locked' },
    handle: exportSettlements,
  }),
];
