import { z } from 'zod';
import { milliseconds } from '../numbers.js';

/** How the ingress takes requests: its limits, its connections and its TLS. */
export const ingressSettings = {
  /**
   * New recharges are refused at this mean delay of the event loop. Each request waits for several turns of the loop,
   * so at two seconds its caller gives up before the answer. A lower limit would refuse too much, because shared
   * machines have short bursts of half a second.
   */
  OVERLOAD_DELAY_MS: milliseconds(20, 60_000).default(2_000),
  /**
   * POST requests that one ingress processes at a time: about what two cores finish in a second. Each body is at most
   * 192 kB.
   */
  OVERLOAD_IN_FLIGHT_MAX: z.coerce.number().int().min(1).max(100_000).default(2_000),
  /** Request bodies that one ingress may be receiving at a time. A body normally arrives within milliseconds. */
  BODIES_ARRIVING_MAX: z.coerce.number().int().min(1).max(100_000).default(4_000),
  /**
   * The same limit as BODIES_ARRIVING_MAX, but per client address. Raise it where a load balancer hides the addresses
   * of the callers.
   */
  BODIES_ARRIVING_PER_ADDRESS_MAX: z.coerce.number().int().min(1).max(100_000).default(500),
  /**
   * How long an idle connection stays open. Load balancers reuse their connections for 60 s, so ours must stay open
   * longer.
   */
  KEEP_ALIVE_MS: milliseconds(1_000, 3_600_000).default(75_000),
  /** Connections of one ingress. An idle one costs about 10 kB. Connections beyond the limit are closed immediately. */
  INGRESS_CONNECTIONS_MAX: z.coerce.number().int().min(1).max(1_000_000).default(10_000),
  /**
   * PEM files of the certificate chain and its key, with which the ingress serves HTTPS directly. Set both or neither.
   */
  TLS_CERT_FILE: z.string().optional(),
  TLS_KEY_FILE: z.string().optional(),
  /**
   * PEM file of the CA of client certificates. If it is set, a client must present a certificate whose common name is
   * the client's name.
   */
  TLS_CLIENT_CA_FILE: z.string().optional(),
} as const;
