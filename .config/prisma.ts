import { join } from 'node:path';
import { defineConfig } from 'prisma/config';

// `prisma generate` looks for a native schema engine that it never runs, and would download one. Any existing file
// satisfies it. Migrations do not go through it: see packages/domain/src/store/database/migrate.ts.
process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= import.meta.filename;

const folder = join(import.meta.dirname, '..', 'prisma');

export default defineConfig({
  schema: join(folder, 'schema.prisma'),
  migrations: { path: join(folder, 'migrations') },
});
