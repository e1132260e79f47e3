/** What a person may do at the console. An admin may do everything. */
export const operatorRoles = ['viewer', 'operator', 'approver', 'admin'] as const;
export type OperatorRole = (typeof operatorRoles)[number];

export const isOperatorName = (text: string): boolean => /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/.test(text);

/** Whether a person of role `held` may do what role `needed` may. Everybody may look. */
export const mayAs = (held: OperatorRole, needed: OperatorRole): boolean =>
  held === needed || held === 'admin' || needed === 'viewer';

/** Everyone but viewers signs in with a second factor. */
export const needsSecondFactor = (role: OperatorRole): boolean => role !== 'viewer';
