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
  'finance:read',
] as const;

export type Scope = (typeof scopes)[number];

/** The scopes that `finance:read` stands for, too. They allow reads only. */
const readByFinance: readonly Scope[] = [
  'recharges:read',
  'balances:read',
  'ledger:read',
  'cases:read',
  'reconciliation:read',
];

/** Whether a key with these scopes may do what needs a scope. */
export const allows = (given: readonly string[], needed: Scope): boolean =>
  given.includes(needed) || (readsAllClients(given) && readByFinance.includes(needed));

/** Whether a key with these scopes reads what belongs to other clients, on the accounts of its patterns. */
export const readsAllClients = (given: readonly string[]): boolean => given.includes('finance:read');
