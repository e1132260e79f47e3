import type { TLSSocket } from 'node:tls';
import type { Key } from '@replenish/domain';
import type { Request } from 'express';
import { Problem } from '../http/answers/problem.js';
import { callOf } from '../http/call.js';
import type { Caller } from '../input/keyed-handler.js';
import type { Limits } from '../limits/limits.js';

export type AdmissionOptions = Readonly<{
  limits: Limits | null;
  /** Whether callers must show a client certificate with the name of their client. */
  mutualTls: boolean;
}>;

/**
 * Adds the checks that follow when the key is known: the client certificate and the client's rate limit. It also
 * notes the key on the call.
 */
export function admitting(caller: Caller, { limits, mutualTls }: AdmissionOptions): Caller {
  return async (request, scope) => {
    const response = request.res!;
    const call = callOf(response);
    const key = await caller(request, scope);
    if (mutualTls) requireCertificate(request, key);
    const isCounted = call.key !== undefined;
    call.key = key;
    if (!isCounted) await limits?.ofClient(key, response);
    return key;
  };
}

/**
 * Requires the client certificate with the client's name. It runs for calls with a key only, not for webhooks and
 * health checks. Providers sign their webhooks and have no certificate of our CA.
 */
function requireCertificate({ socket }: Request, key: Key): void {
  const { authorized, getPeerCertificate } = socket as TLSSocket;
  if (!authorized)
    throw new Problem('UNAUTHENTICATED', 'a client certificate of the configured CA is needed', {
      suspicion: 'bad_certificate',
    });
  const name = getPeerCertificate.call(socket).subject?.CN;
  if (name !== key.clientName)
    throw new Problem('UNAUTHORIZED', "the certificate's common name is not the name of this key's client", {
      suspicion: 'bad_certificate',
    });
}
