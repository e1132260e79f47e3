export { createDatabase, type TestDatabase } from './database.js';
export { type Fleet, type FleetOptions, startFleet } from './fleet.js';
export type { FleetProcess } from './fleet-process.js';
export { freePort, processesNaming } from './machine.js';
export { type MovableAddress, OwnRedis, openMovableAddress } from './own-redis.js';
export {
  type Answer,
  type Body,
  bearer,
  client,
  get,
  post,
  type SandboxOrder,
  sandboxOrders,
} from './producer.js';
export { privateRedis } from './redis.js';
export { execute, openTestServer, type TestServer } from './server.js';
export { until } from './until.js';
export {
  type CallRow,
  newRecharge,
  openWorkerBooks,
  RECONCILE_AFTER_MS,
  type RechargeRow,
  type WorkerBooks,
} from './worker-books.js';
