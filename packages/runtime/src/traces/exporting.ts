import { DiagLogLevel, diag } from '@opentelemetry/api';
import type { Config } from '../config/read.js';
import type { Logger } from '../observe/log.js';
import { openOutageLog } from '../observe/outage-log.js';
import { useTracer } from './span.js';

export type TraceSettings = Pick<
  Config,
  | 'OTEL_EXPORTER_OTLP_ENDPOINT'
  | 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'
  | 'OTEL_SDK_DISABLED'
  | 'OTEL_SERVICE_NAME'
>;

/** Whether a collector is configured. */
export const isTraced = (settings: TraceSettings): boolean =>
  settings.OTEL_SDK_DISABLED !== 'true' &&
  (settings.OTEL_EXPORTER_OTLP_ENDPOINT ?? settings.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) !== undefined;

// A collector that is away must not delay the end of a process. What it did not take by then is lost.
const FLUSH_LIMIT_MS = 2_000;

/**
 * Sends the spans of this process to the configured collector, by OTLP over HTTP. The SDK is loaded here and nowhere
 * else, because it takes megabytes and most processes need none. It reads the further `OTEL_` variables (headers,
 * sampler, batches, resource) itself. It gets no manager of contexts: `span.ts` knows the active span, and the SDK would
 * make each export an active context. Returns the function that sends what is left and ends it.
 */
export async function exportTraces(
  process: string,
  settings: TraceSettings,
  log: Logger,
): Promise<() => Promise<void>> {
  const [sdk, { OTLPTraceExporter }, resources] = await Promise.all([
    import('@opentelemetry/sdk-trace-base'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ]);
  const { defaultResource, detectResources, envDetector, resourceFromAttributes } = resources;
  const service = { 'service.name': settings.OTEL_SERVICE_NAME ?? `replenish-${process}` };
  const resource = defaultResource()
    .merge(detectResources({ detectors: [envDetector] }))
    .merge(resourceFromAttributes({ ...service, 'service.namespace': 'replenish' }));
  const provider = new sdk.BasicTracerProvider({
    resource,
    spanProcessors: [new sdk.BatchSpanProcessor(new OTLPTraceExporter())],
  });
  reportFaults(log);
  useTracer(provider.getTracer('replenish'));
  return async () => {
    useTracer(null);
    const late = new Promise<void>((resolve) => setTimeout(resolve, FLUSH_LIMIT_MS).unref());
    await Promise.race([provider.shutdown().catch(() => {}), late]);
  };
}

/** The SDK reports here that the collector is away. It drops those spans. The next ones may arrive. */
function reportFaults(log: Logger): void {
  const outage = openOutageLog(log, 'traces do not arrive');
  const failed = (message: string): void => outage.failed(new Error(message));
  const ignored = (): void => {};
  diag.setLogger(
    { error: failed, warn: failed, info: ignored, debug: ignored, verbose: ignored },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
}
