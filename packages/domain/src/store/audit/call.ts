/**
 * One HTTP call to the ingress, answered or refused. It holds no secret, because the code that makes it leaves secrets
 * out.
 */
export type AuditCall = Readonly<{
  id: string;
  /**
   * When the call arrived. It is stored by the database's clock if the process's clock differs by more than a second.
   */
  at: Date;
  ip: string;
  /** The client of the caller. Null if the caller is unknown. */
  clientId: string | null;
  keyId: string | null;
  method: string;
  /** The pattern of the route, not the path of the call. */
  route: string;
  params: Readonly<Record<string, unknown>>;
  accountId: string | null;
  status: number;
  code: string | null;
  durationMs: number;
  correlationId: string;
}>;
