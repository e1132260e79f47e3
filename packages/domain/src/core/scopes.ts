/** What a key may be allowed to do. */
export const scopes = ['recharges:write', 'recharges:read', 'balances:read', 'audit:read'] as const;

export type Scope = (typeof scopes)[number];
