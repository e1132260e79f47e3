import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { metricsOffset, type ProcessName, settings } from '@replenish/runtime';
import { parse } from 'yaml';

type Service = Readonly<{
  image: string;
  command: string[];
  environment: Record<string, string | number>;
  healthcheck?: { test: string[] };
  depends_on?: Record<string, { condition: string }>;
  restart: string;
  stop_grace_period: string;
  ports?: string[];
  networks: string[];
  volumes?: string[];
  build?: { dockerfile_inline: string; target: string };
  container_name?: string;
}>;

const root = join(import.meta.dirname, '../../..');
const text = readFileSync(join(root, 'docker-compose.yml'), 'utf8');
const { services, volumes, networks } = parse(text, { merge: true }) as {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
  networks: Record<string, { internal?: boolean } | null>;
};

const apps = readdirSync(join(root, 'apps')).filter((app) => app !== 'cli');
const processes = Object.entries(services).filter(([name]) => apps.includes(name));
const fleet = Object.entries(services).filter(([, { image }]) => image === 'replenish:local');

test('each process of the fleet has one service, and no other service runs our code', () => {
  expect(Object.keys(services).sort()).toEqual([...apps, 'migrate', 'postgres', 'redis', 'role'].sort());
  expect(processes.map(([name]) => name).sort()).toEqual(Object.keys(metricsOffset).sort());
});

test.each(fleet)('%s runs an existing file of an existing workspace', (name, { command }) => {
  const [program, file] = command as [string, string];
  const [folder, workspace] = file.split('/') as [string, string];
  const start = JSON.parse(readFileSync(join(root, folder, workspace, 'package.json'), 'utf8')).scripts.start;
  expect(program).toBe('node');
  expect(workspace).toBe(name === 'migrate' ? 'cli' : name);
  if (name === 'migrate') expect(existsSync(join(root, file))).toBe(true);
  else expect(`exec node ${file.split('/').slice(2).join('/')}`).toBe(start);
});

test('the service migrate runs the command of that name once', () => {
  const { command, restart } = services.migrate!;
  expect([command.slice(2), restart]).toEqual([['migrate'], 'no']);
});

test('only migrate connects as the owner of the database; the processes have a role of their own', () => {
  const userOf = (name: string) =>
    new URL(String(services[name]!.environment.DATABASE_URL).replace(/\$\{.*\}/, 'p'));
  const users = processes.filter(([name]) => name !== 'sandbox').map(([name]) => userOf(name).username);
  expect(users).toEqual(users.map(() => 'replenish_app'));
  expect(userOf('migrate').username).toBe(services.postgres!.environment.POSTGRES_USER);
  expect(services.migrate!.environment.DATABASE_APP_ROLE).toBe('replenish_app');
  expect(services.role!.command.join(' ')).toContain(
    'alter role replenish_app with login nosuperuser nocreatedb nocreaterole noreplication',
  );
});

test.each(processes)('the readiness check of %s asks its own port', (name, { healthcheck, environment }) => {
  const port = Number(environment.METRICS_PORT) + metricsOffset[name as ProcessName];
  expect(environment.METRICS_HOST).toBe('0.0.0.0');
  expect(healthcheck?.test.join(' ')).toContain(`http://127.0.0.1:${port}/readyz`);
});

test.each(Object.entries(services))(
  '%s ends gracefully, is restarted, and can be scaled',
  (name, service) => {
    expect(service.stop_grace_period).toBe('15s');
    expect(service.restart).toBe(['migrate', 'role'].includes(name) ? 'no' : 'unless-stopped');
    expect(service.container_name).toBeUndefined();
  },
);

test('only the ingress and the dashboard are published, and only on this machine', () => {
  const published = Object.entries(services).flatMap(([name, { ports = [] }]) =>
    ports.map((it) => [name, it]),
  );
  expect(published).toEqual([
    ['ingress', '127.0.0.1:8080:8080'],
    ['dashboard', '127.0.0.1:8081:8081'],
  ]);
});

test.each(fleet)('%s gets only settings that exist', (_name, { environment }) => {
  expect(Object.keys(environment).filter((name) => !Object.hasOwn(settings, name))).toEqual([]);
});

test('inside the network each server listens on all addresses, and its address is the name of its service', () => {
  const { ingress, dashboard, sandbox, 'submission-worker': worker } = services;
  expect([
    ingress!.environment.INGRESS_HOST,
    dashboard!.environment.DASHBOARD_HOST,
    sandbox!.environment.SANDBOX_HOST,
    worker!.environment.PUBLIC_URL,
    worker!.environment.SANDBOX_URL,
  ]).toEqual(['0.0.0.0', '0.0.0.0', '0.0.0.0', 'http://ingress:8080', 'http://sandbox:8090']);
});

test('it is a development fleet in any environment, and its printed examples work on this machine', () => {
  expect(fleet.map(([, { environment }]) => environment.NODE_ENV)).toEqual(fleet.map(() => 'development'));
  const { PUBLIC_URL } = services.ingress!.environment;
  expect(`${new URL(String(PUBLIC_URL)).host}:8080`).toBe(services.ingress!.ports![0]);
});

test('processes wait for the schema and for the queues', () => {
  const waiting = processes.filter(([name]) => name !== 'sandbox').map(([, { depends_on }]) => depends_on);
  expect(waiting).toEqual(
    waiting.map(() => ({
      migrate: { condition: 'service_completed_successfully' },
      redis: { condition: 'service_healthy' },
    })),
  );
  expect(services.migrate!.depends_on).toEqual({ role: { condition: 'service_completed_successfully' } });
  expect(services.role!.depends_on).toEqual({ postgres: { condition: 'service_healthy' } });
});

test('the stores keep their data: volumes, no eviction, an append-only file, known versions', () => {
  const { postgres, redis } = services;
  expect(postgres!.image).toMatch(/^postgres:(1[6-9]|[2-9]\d)-alpine$/);
  expect(redis!.image).toBe('redis:7-alpine');
  expect(redis!.command.join(' ')).toContain('--appendonly yes --maxmemory-policy noeviction');
  const named = Object.values(services).flatMap(({ volumes: own = [] }) =>
    own.map((it) => it.split(':')[0]!),
  );
  expect(named.sort()).toEqual(Object.keys(volumes).sort());
});

test('only the fleet reaches the stores, and the sandbox does not', () => {
  expect(networks.stores).toEqual({ internal: true });
  const placed = [services.postgres!, services.redis!, services.role!, services.sandbox!];
  expect(placed.map(({ networks: own }) => own)).toEqual([['stores'], ['stores'], ['stores'], ['fleet']]);
  expect(Object.keys(services.sandbox!.environment)).not.toContain('DATABASE_URL');
});

test('each secret comes from the environment, and an error names a missing one', () => {
  const secrets = text.match(/\$\{[A-Z_]*(PASSWORD|SECRET|HASH|KEYS)[^}]*\}/g)!;
  expect(new Set(secrets.map((it) => /[A-Z_]+/.exec(it)![0]))).toEqual(
    new Set(['POSTGRES_PASSWORD', 'APP_PASSWORD', 'REDIS_PASSWORD', 'SANDBOX_WEBHOOK_SECRET', 'MASTER_KEYS']),
  );
  expect(secrets.filter((it) => !/^\$\{[A-Z_]+:\?.+\}$/.test(it))).toEqual([]);
});

test.each(fleet)('the image of %s is built from the lockfile and runs without root', (name, { build }) => {
  const lines = build!.dockerfile_inline.trim().split('\n');
  const copied = lines.flatMap((line) => /^COPY (?!--from)(.*) \S+$/.exec(line)?.[1]?.split(' ') ?? []);
  const sources = copied.filter((it) => !it.startsWith('--'));
  // The image leaves out packages that only build, or that only start a fleet on one machine. The sandbox's image keeps
  // its store, which is an optional package.
  const target = name === 'sandbox' ? 'sandbox' : 'fleet';
  expect(build!.target).toBe(target);
  expect(lines.some((line) => line.startsWith('RUN npm ci'))).toBe(true);
  const stages = build!.dockerfile_inline.split(/^(?=FROM )/m);
  const final = stages.find((stage) => stage.startsWith(`FROM node:22-slim AS ${target}\n`))!;
  expect(final).toContain(`COPY --from=${name === 'sandbox' ? 'build' : 'pruned'} /app /app`);
  expect(final.trim().split('\n').at(-1)).toBe('USER node');
  expect(stages.find((stage) => stage.startsWith('FROM build AS pruned'))).toContain('--omit=optional');
  // The copied files are named one by one, because the build context also holds local databases and secrets.
  expect(sources).not.toContain('.');
  expect(sources.filter((source) => !existsSync(join(root, source)))).toEqual([]);
});
