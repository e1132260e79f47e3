import type { Request, Response } from 'express';
import { sendCached } from '../http/answers/send.js';
import type { OpenOperation } from '../http/operation.js';

export type ContractDeps = Readonly<{
  /** The OpenAPI document as JSON. */
  contract: () => string;
}>;

export const contract: readonly OpenOperation<ContractDeps>[] = [
  {
    method: 'get',
    paths: ['/openapi.json'],
    id: 'getContract',
    tag: 'service',
    summary: 'Read this document',
    description: 'OpenAPI 3.1 of every route, for code generators and other tools.',
    answers: { 200: ['bytes', 'The document'] },
    problems: ['INTERNAL_ERROR'],
    handle: show,
  },
];

function show({ contract: text }: ContractDeps, _request: Request, response: Response): void {
  sendCached(response, 'application/json', text());
}
