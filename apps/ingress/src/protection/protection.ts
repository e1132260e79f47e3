import { queueOptions } from '@replenish/assembly';
import type { Domain } from '@replenish/domain';
import { openLimitStore } from '@replenish/queues';
import type { Frame } from '@replenish/runtime';
import type { Guards } from '../app.js';
import { openAuditTrail } from '../audit/trail.js';
import { openWaits, waitsMax } from '../recharges/waiting.js';
import { openWatch } from './anomaly.js';
import { openArrivals } from './arrivals.js';
import { openLimits } from './limits.js';
import { openOverload } from './overload.js';

/** All that stands around the door, as this process's settings say. */
export function openGuards(frame: Frame, domain: Pick<Domain, 'audit' | 'security'>): Guards {
  const { config, log, registry, opened } = frame;
  const store = openLimitStore(queueOptions(frame));
  opened('rate limits', store, (it) => it.close());
  const limits = openLimits({
    store,
    perClient: config.RATE_LIMIT_PER_MINUTE ?? null,
    perAccount: config.RATE_LIMIT_PER_ACCOUNT_PER_MINUTE ?? null,
    log,
    registry,
  });
  const trail = opened('audit', openAuditTrail({ audit: domain.audit, log, registry }), (it) => it.close());
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
    onlookers: [trail.see, watch.see, overload.see],
    mutualTls: config.TLS_CLIENT_CA_FILE !== undefined,
  };
}
