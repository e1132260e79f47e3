import { randomBytes } from 'node:crypto';

export interface Sessions {
  /** Creates a session and returns its secret, which the cookie carries. */
  open(): string;
  /** Whether the session is open. The call counts as use of the session and restarts its idle time. */
  isOpen(secret: string | undefined): boolean;
  end(secret: string | undefined): void;
}

// Longer than a working day, so that an operator signs in once per day.
export const SESSION_MS = 12 * 3_600_000;
// A session that is not used for half an hour is closed. A browser that shows the board sends a request every few
// seconds, which counts as use.
export const SESSION_IDLE_MS = 30 * 60_000;
// There are few operators. The limit bounds the memory if a client with the password signs in again and again.
const SESSIONS_MAX = 200;

/** Stores the sessions in memory only. A restart ends them, and the operators sign in again. */
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
