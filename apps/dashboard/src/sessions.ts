import { randomBytes } from 'node:crypto';

export interface Sessions {
  /** Returns the new session's secret: what the cookie carries. */
  open(): string;
  isOpen(secret: string | undefined): boolean;
  end(secret: string | undefined): void;
}

// A working day and a bit; the operator who comes back tomorrow signs in again.
export const SESSION_MS = 12 * 3_600_000;
// Operators are few. The bound is there for whoever knows the password and signs in without end.
const SESSIONS_MAX = 200;

/** Kept in this process only: a restart ends every session, which for operators is no loss. */
export function openSessions(nowMs: () => number, maxSessions = SESSIONS_MAX): Sessions {
  const endsAtMs = new Map<string, number>();
  return {
    open: () => {
      const oldest = endsAtMs.keys().next().value;
      if (oldest !== undefined && endsAtMs.size >= maxSessions) endsAtMs.delete(oldest);
      const secret = randomBytes(32).toString('base64url');
      endsAtMs.set(secret, nowMs() + SESSION_MS);
      return secret;
    },
    isOpen: (secret) => {
      const ends = secret === undefined ? undefined : endsAtMs.get(secret);
      if (ends === undefined || secret === undefined) return false;
      if (nowMs() < ends) return true;
      endsAtMs.delete(secret);
      return false;
    },
    end: (secret) => {
      if (secret !== undefined) endsAtMs.delete(secret);
    },
  };
}
