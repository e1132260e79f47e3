import type { Request, RequestHandler } from 'express';

/** What a person may do. An admin may do everything. */
export type Role = 'viewer' | 'operator' | 'approver' | 'admin';

export type ConsoleUser = Readonly<{ name: string; role: Role }>;

/** The sender of a request, and what this person may do. The pages know people only through this interface. */
export interface People {
  currentUser(request: Request): ConsoleUser | null;
  /** Refuses a person who has none of these roles. An admin always passes. */
  requireRole(...roles: readonly Role[]): RequestHandler;
  /** The token that a form has to send back. */
  csrfToken(request: Request): string;
  /** Refuses a form without the token, or of another site. It reads the parsed body. */
  readonly requireCsrf: RequestHandler;
  /** Refuses a verb without a fresh code of the second factor, if the person has one. */
  readonly requireFreshCode: RequestHandler;
  /** Whether a form has to ask for a code. */
  needsCode(request: Request): boolean;
}
