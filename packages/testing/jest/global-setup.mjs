import { openTestServer } from '../dist/index.js';

/** One PostgreSQL with a migrated template for all test files; they find it through these variables. */
export default async function globalSetup() {
  const server = await openTestServer(process.env.TEST_POSTGRES_URL);
  process.env.TEST_POSTGRES_URL = server.url;
  process.env.TEST_POSTGRES_APP_URL = server.appUrl;
  process.env.TEST_POSTGRES_TEMPLATE = server.template;
  globalThis.replenishTestServer = server;
}
