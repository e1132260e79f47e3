export default async function globalTeardown() {
  await globalThis.replenishTestServer?.close();
  if (!process.env.REDIS_URL) {
    process.stderr.write(
      'REDIS_URL is not set: the tests that need Redis or PgBouncer did not run (.ci/run runs them).\n',
    );
  }
}
