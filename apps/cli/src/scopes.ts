/** What a key may be allowed to do, as the ingress asks for it. */
export const scopes = ['recharges:write', 'recharges:read', 'balances:read', 'audit:read'];
