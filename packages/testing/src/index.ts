export {
  type CallRow,
  newRecharge,
  openWorkerBooks,
  RECONCILE_AFTER_MS,
  type RechargeRow,
  type WorkerBooks,
} from './books/worker-books.js';
export { FAULTS_OF_PAGE } from './faults-of-page.js';
export { createDatabase, type TestDatabase } from './fleet/database.js';
export { type Fleet, type FleetOptions, startFleet } from './fleet/fleet.js';
export { freePort, processesNaming } from './fleet/machine.js';
export { migrateAsOperator } from './fleet/migrate.js';
export { type MovableAddress, OwnRedis, openMovableAddress } from './fleet/own/own-redis.js';
export type { FleetProcess } from './fleet/process.js';
export {
  type Body,
  bearer,
  client,
  get,
  type OrderAtSandbox,
  type ProducerAnswer,
  post,
  sandboxOrders,
} from './fleet/producer.js';
export { privateRedis } from './fleet/redis.js';
export { execute, openTestServer, type TestServer } from './fleet/server.js';
export { type NameAnswers, type NameServer, openNameServer } from './name-server.js';
export { until } from './until.js';
