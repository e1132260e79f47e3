import { createLogger } from '@replenish/runtime';

const log = createLogger('logs', 'info');
log.info('first');
const ends = {
  natural: () => log.info('last'),
  exit: () => {
    log.info('last');
    process.exit(3);
  },
  fatal: () => log.fatal('last'),
  throw: () => {
    log.info('last');
    throw new Error('as tested');
  },
};
setTimeout(ends[process.argv[2]], 10);
