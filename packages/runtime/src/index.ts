export { crashPoint } from '#crash-point';
export { type Closer, closeAll } from './closing.js';
export { type Config, type Env, localStateDir, readConfig, settings } from './config.js';
export { correlationIdFrom, newId } from './correlation.js';
export { Health, type HealthReport } from './health.js';
export { createLogger, type Logger } from './log.js';
export { Counter, Gauge, Histogram, metricsOffset, openRegistry, type ProcessName } from './metrics.js';
export { type Frame, type ReadyMessage, runProcess } from './process.js';
