import type { Case } from './fuzz-cases.js';

export const RULE = {
  ...{ accountId: 'acct-1001', currency: 'USD', watch: 'wallet', below: 1_000, recharge: { upTo: 5_000 } },
  caps: { perRecharge: 5_000, perDay: 20_000, perMonth: 100_000 },
};

/** Cases that are always sent, since a few random ones may miss them. */
export const surely = ({ method, path }: Readonly<{ method: string; path: string }>): Case[] => {
  const valid = VALID[`${method} ${path}`];
  if (valid === undefined) return [];
  return ['application/json', 'application/xml'].map((accept) => ({
    ...{ method: method.toUpperCase(), path: path.replace(/\{\w+\}/, 'KNOWN'), query: {} },
    caller: 'known' as const,
    headers: { accept, 'content-type': 'application/json' },
    ...(valid && { body: { form: 'json' as const, ...valid } }),
  }));
};

/** A valid body for each operation, by method and path. Null: a request without a body. */
const VALID: Readonly<Record<string, Readonly<{ root: string; value: Record<string, unknown> }> | null>> = {
  'post /api/charge': {
    root: 'charge',
    value: { account_id: 'acct-1', amount: 1, currency: 'USD', payment_method: 'sandbox' },
  },
  'put /v1/accounts/{accountId}/payee': {
    root: 'payee',
    value: { provider: 'alibaba_cloud', to: '77', currency: 'CNY' },
  },
  'get /v1/accounts/{accountId}/payee': null,
  'delete /v1/accounts/{accountId}/payee': null,
  'post /v1/rules': { root: 'rule', value: RULE },
  'patch /v1/rules/{ruleId}': { root: 'rule', value: { below: 900 } },
  'post /v1/reconciliations': {
    root: 'reconciliation',
    value: { provider: 'sandbox', from: '2026-11-01T00:00:00Z', to: '2026-11-02T00:00:00Z' },
  },
};
