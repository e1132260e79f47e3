/** One call of the outside face, answered or refused. Holds no secret: whoever makes one leaves those out. */
export type AuditCall = Readonly<{
  id: string;
  /** When it came. It is filed by the database's clock, where that differs from this process's by more than a second. */
  at: Date;
  ip: string;
  /** Null where the caller was not known. */
  clientId: string | null;
  keyId: string | null;
  method: string;
  /** The pattern that matched, not the path. */
  route: string;
  params: Readonly<Record<string, unknown>>;
  accountId: string | null;
  status: number;
  code: string | null;
  durationMs: number;
  correlationId: string;
}>;
