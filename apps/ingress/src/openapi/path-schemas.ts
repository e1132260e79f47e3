import type { Json } from './answers.js';

/** What the parameters in paths are, by name. */
export const pathSchemas: Readonly<Record<string, Json>> = {
  id: {
    type: 'string',
    format: 'uuid',
    description: 'The `transactionId` of the recharge',
    examples: ['01a2122d-35de-70af-9927-1ae329a0e10b'],
  },
  accountId: {
    type: 'string',
    pattern: '^[A-Za-z0-9._:-]{1,64}$',
    description: 'The account',
    examples: ['acct-1001'],
  },
  caseId: {
    type: 'string',
    format: 'uuid',
    description: 'The `caseId` of the case',
    examples: ['01a2122d-0000-7000-8000-1ae329a0e10c'],
  },
  month: {
    type: 'string',
    pattern: '^[1-9]\\d{3}-(0[1-9]|1[0-2])$',
    description: 'The month',
    examples: ['2026-11'],
  },
  runId: {
    type: 'string',
    format: 'uuid',
    description: 'The `runId` of the comparison',
    examples: ['01a2122d-0000-7000-8000-1ae329a0e10d'],
  },
  endpointId: {
    type: 'string',
    format: 'uuid',
    description: 'The `endpointId` of the callback endpoint',
    examples: ['01a2122d-0000-7000-8000-1ae329a0e10d'],
  },
  deliveryId: {
    type: 'string',
    format: 'uuid',
    description: 'The `deliveryId` of the delivery',
    examples: ['01a2122d-0000-7000-8000-1ae329a0e10e'],
  },
  ruleId: {
    type: 'string',
    format: 'uuid',
    description: 'The `ruleId` of the rule',
    examples: ['01a2122d-0000-7000-8000-1ae329a0e10d'],
  },
  planId: {
    type: 'string',
    format: 'uuid',
    description: 'The `planId` of the plan',
    examples: ['01a2122d-0000-7000-8000-1ae329a0e10d'],
  },
  provider: { type: 'string', description: 'Name of the provider', examples: ['sandbox'] },
};
