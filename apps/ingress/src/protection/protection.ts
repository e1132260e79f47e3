import { queueOptions } from '@replenish/assembly';
import type { Domain } from '@replenish/domain';
import { openLimitStore } from '@replenish/queues';
import type { Frame } from '@replenish/runtime';
import { openAuditTrail } from '../audit/trail.js';
import type { Observer } from '../http/call.js';
import type { AuditedNames } from '../http/operation.js';
import type { Intake } from '../http/read-body.js';
import { openArrivals } from '../limits/arrivals.js';
import { type Limits, openLimits } from '../limits/limits.js';
import { openOverload } from '../limits/overload.js';
import { openWaits, type Waits, waitsMax } from '../limits/waits.js';
import { openWatch } from './anomaly.js';

/** The protections of the ingress from its callers. Each part may be left out. */
export type Protection = Readonly<{
  limits?: Limits;
  /** The observers of every call, in the order in which they see it. */
  observers?: readonly Observer[];
  mutualTls?: boolean;
  /** The limits for bodies and work. Null: no limits. */
  intake?: Intake | null;
  waits?: Waits;
}>;

/** Opens every protection, with the settings of this process. */
export function openProtection(
  frame: Frame,
  domain: Pick<Domain, 'audit' | 'security'>,
  names: AuditedNames,
): Protection {
  const { config, log, registry, opened } = frame;
  const store = openLimitStore(queueOptions(frame));
  opened('rate limits', store, (it) => it.close());
  const limits = openLimits({
    store,
    perClient: config.RATE_LIMIT_PER_MINUTE || null,
    perAccount: config.RATE_LIMIT_PER_ACCOUNT_PER_MINUTE ?? null,
    log,
    registry,
  });
  const trail = opened('audit', openAuditTrail({ audit: domain.audit, log, registry, names }), (it) =>
    it.close(),
  );
  const watch = opened('watch', openWatch({ security: domain.security, log, registry }), (it) => it.close());
  const overload = openOverload({
    delayMaxMs: config.OVERLOAD_DELAY_MS,
    inFlightMax: config.OVERLOAD_IN_FLIGHT_MAX,
    registry,
  });
  opened('overload', overload, (it) => it.close());
  const arrivals = openArrivals({
    max: config.BODIES_ARRIVING_MAX,
    perOriginMax: config.BODIES_ARRIVING_PER_ADDRESS_MAX,
    registry,
  });
  opened('arrivals', arrivals, (it) => it.close());
  return {
    limits,
    intake: { arrivals, overload },
    waits: openWaits({ ...waitsMax, overload, registry }),
    observers: [trail.see, watch.see, overload.see],
    mutualTls: config.TLS_CLIENT_CA_FILE !== undefined,
  };
}
