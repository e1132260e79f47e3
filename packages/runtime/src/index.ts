export { crashPoint } from '#crash-point';
export { addressIn, readClientAddresses } from './client-address.js';
export { type Closer, closeAll } from './closing.js';
export {
  BadConfiguration,
  type Config,
  readConfig,
  readTogether,
  requireDatabaseUrl,
  requireProviders,
  settings,
} from './config.js';
export { type Env, localStateDir } from './config-local.js';
export { correlationIdFrom, newId } from './correlation.js';
export { Health, type HealthReport } from './health.js';
export { createFastServer, type TlsOptions } from './http.js';
export { createLogger, type Logger } from './log.js';
export { masterKeysOf, requireMasterKeys } from './master-keys.js';
export { Counter, Gauge, Histogram, metricsOffset, openRegistry, type ProcessName } from './metrics.js';
export { domainOptions, queueOptions } from './opening.js';
export { type OutageLog, openOutageLog } from './outage-log.js';
export { faultOfHash, hashPassword, verifyPassword } from './password.js';
export { type Frame, type ReadyMessage, runProcess } from './process.js';
export { openProviderMetrics, type ProviderMetrics } from './provider-metrics.js';
export { openRecovery } from './recovery.js';
export { escapeHtml, favicon, type PageLink, pageHead, pageHeader, pageLook } from './web-page.js';
