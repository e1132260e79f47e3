import { z } from 'zod';

/**
 * The settings that switch traces on, by the standard's names. The SDK of OpenTelemetry reads the further variables of
 * the standard itself, such as OTEL_EXPORTER_OTLP_HEADERS and OTEL_TRACES_SAMPLER.
 */
export const traceSettings = {
  /** Address of the collector of traces, without the path `/v1/traces`. Unset: no traces. */
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  /** Whole address of the collector of traces. It takes precedence over OTEL_EXPORTER_OTLP_ENDPOINT. */
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  /** `true`: no traces, whatever else is set. */
  OTEL_SDK_DISABLED: z.enum(['true', 'false']).default('false'),
  /** `service.name` of the spans. Unset: `replenish-<process>`. */
  OTEL_SERVICE_NAME: z.string().optional(),
} as const;
