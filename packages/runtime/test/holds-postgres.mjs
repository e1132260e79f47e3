// Runs an embedded PostgreSQL until the process is ended: node holds-postgres.mjs <folder>
import { openEmbeddedPostgres } from '@replenish/runtime/embedded-postgres';

const { url, pid } = await openEmbeddedPostgres({ dir: process.argv[2], durable: false });
process.send({ url, pid });
