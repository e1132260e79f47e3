export { faultsOfAddress } from './address.js';
export { openPool, type PoolOptions } from './pool.js';
export { type Pins, plainSession, planner, UnfitDatabase, unpinned } from './session.js';
