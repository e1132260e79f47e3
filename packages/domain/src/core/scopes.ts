/** The permissions that a key may have. */
export const scopes = [
  'recharges:write',
  'recharges:read',
  'refunds:write',
  'balances:read',
  'ledger:read',
  'payees:read',
  'payees:write',
  'cases:read',
  'cases:write',
  'reconciliation:read',
  'reconciliation:write',
  'callbacks:read',
  'callbacks:write',
  'rules:read',
  'rules:write',
  'rules:admin',
  'plans:read',
  'plans:write',
  'audit:read',
] as const;

export type Scope = (typeof scopes)[number];
