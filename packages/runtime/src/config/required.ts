import { BadConfiguration, type Config } from './read.js';

/**
 * The address of the database.
 * @throws BadConfiguration with advice, when no database is configured and no local one is running
 */
export function requireDatabaseUrl(config: Config): string {
  if (config.DATABASE_URL) return config.DATABASE_URL;
  throw new BadConfiguration(
    'no database: set DATABASE_URL, or start the local fleet with `npm start` first',
  );
}

/**
 * The names of the providers that a worker serves.
 * @throws BadConfiguration when there is none: such a worker would look healthy and do nothing
 */
export function requireProviders(names: readonly string[]): readonly string[] {
  if (names.length > 0) return names;
  throw new BadConfiguration(
    'no provider is configured: production does not use the sandbox; see docs/configuration.md, "Providers"',
  );
}
