import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { scopes } from '@replenish/domain/rules';

type Operation = Readonly<{ security?: readonly Readonly<Record<string, readonly string[]>>[] }>;

test('the scopes of clients are those that the OpenAPI document requires', () => {
  const print = join(import.meta.dirname, '../../ingress/dist/openapi/print.js');
  const { stdout } = spawnSync(process.execPath, [print], { encoding: 'utf8' });
  const { paths } = JSON.parse(stdout) as { paths: Record<string, Record<string, Operation>> };
  const operations = Object.values(paths).flatMap((path) => Object.values(path));
  const asked = operations.flatMap(({ security = [] }) =>
    security.flatMap((one) => Object.values(one).flat()),
  );
  expect([...new Set(asked)].sort()).toEqual([...scopes].sort());
});
