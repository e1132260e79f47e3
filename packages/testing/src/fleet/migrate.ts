import { migrate } from '@replenish/domain';

/**
 * A process of its own: `node migrate.js <database url>`. The schema engine leaves a timer of ten seconds behind, and
 * Jest's own process would wait for it after a short run.
 */
await migrate({ databaseUrl: process.argv[2]! });
process.exit(0);
