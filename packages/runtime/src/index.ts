export { crashPoint } from '#crash-point';
export type { AccountSettings, ProviderAccount } from './config/accounts/accounts.js';
export { type Env, localStateDir } from './config/local.js';
export { masterKeysOf, requireMasterKeys } from './config/master-keys.js';
export {
  BadConfiguration,
  type Config,
  readConfig,
  readTogether,
  settings,
} from './config/read.js';
export { requireDatabaseUrl, requireProviders } from './config/required.js';
export { simulatorKeys } from './config/simulators.js';
export { correlationIdFrom, newId } from './observe/correlation.js';
export { createLogger, type Logger } from './observe/log.js';
export {
  Counter,
  Gauge,
  Histogram,
  metricsOffset,
  openRegistry,
  type ProcessName,
  setOrRemove,
  sharedReading,
} from './observe/metrics.js';
export { type OutageLog, openOutageLog } from './observe/outage-log.js';
export { type Closer, closeAll } from './process/closing.js';
export { createFastServer, type TlsOptions } from './process/fast-server.js';
export { Health, type HealthReport } from './process/health.js';
export { type Frame, type ReadyMessage, runProcess } from './process/process.js';
export { addressIn, readClientAddresses } from './web/client-address.js';
export { isExactNumber, type JsonOutline, keysOf, outlineOf } from './web/json-outline.js';
export { escapeHtml, favicon, type PageLink, pageHead, pageHeader, pageLook } from './web/page.js';
export { hashPassword, isSameText, verifyPassword } from './web/password.js';
export { addressesOf } from './web/resolve.js';
export {
  faultOfAddresses,
  faultOfTarget,
  hostOf,
  isPublicAddress,
  placeOf,
  placesIn,
} from './web/targets.js';
