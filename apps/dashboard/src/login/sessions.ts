import { randomBytes } from 'node:crypto';

export interface Sessions {
  /** Returns the new session's secret: what the cookie carries. */
  open(): string;
  /** To ask is to use it: the time of idleness begins anew. */
  isOpen(secret: string | undefined): boolean;
  end(secret: string | undefined): void;
}

// A working day and a bit; the operator who comes back tomorrow signs in again.
export const SESSION_MS = 12 * 3_600_000;
// Half an hour: a screen that somebody left is closed, one that shows the board (it asks every few seconds) is in use.
export const SESSION_IDLE_MS = 30 * 60_000;
// Operators are few. The bound is there for whoever knows the password and signs in without end.
const SESSIONS_MAX = 200;

/** Kept in this process only: a restart ends every session, which for operators is no loss. */
export function openSessions(nowMs: () => number, maxSessions = SESSIONS_MAX): Sessions {
  const sessions = new Map<string, { endsAtMs: number; idleAtMs: number }>();
  return {
    open: () => {
      const oldest = sessions.keys().next().value;
      if (oldest !== undefined && sessions.size >= maxSessions) sessions.delete(oldest);
      const secret = randomBytes(32).toString('base64url');
      sessions.set(secret, { endsAtMs: nowMs() + SESSION_MS, idleAtMs: nowMs() + SESSION_IDLE_MS });
      return secret;
    },
    isOpen: (secret) => {
      const session = secret === undefined ? undefined : sessions.get(secret);
      if (session === undefined || secret === undefined) return false;
      if (nowMs() < Math.min(session.endsAtMs, session.idleAtMs)) {
        session.idleAtMs = nowMs() + SESSION_IDLE_MS;
        return true;
      }
      sessions.delete(secret);
      return false;
    },
    end: (secret) => {
      if (secret !== undefined) sessions.delete(secret);
    },
  };
}
