import { openTestServer } from '../dist/index.js';

/** Starts one PostgreSQL server with a migrated template for all test files. Variables tell them its addresses. */
export default async function globalSetup() {
  const server = await openTestServer(process.env.TEST_POSTGRES_URL);
  process.env.TEST_POSTGRES_URL = server.url;
  process.env.TEST_POSTGRES_APP_URL = server.appUrl;
  process.env.TEST_POSTGRES_TEMPLATE = server.template;
  globalThis.replenishTestServer = server;
}
