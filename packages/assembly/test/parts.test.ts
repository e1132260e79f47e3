import { expect, test } from '@jest/globals';
import { createLogger, readConfig } from '@replenish/runtime';
import { domainOptions } from '../src/parts.js';

const environment = { REPLENISH_DIR: '/nowhere', DATABASE_URL: 'postgres://replenish@localhost/replenish' };

/** The lines that a process of this environment logs about its rights. */
function told(NODE_ENV: string): string[] {
  const lines: string[] = [];
  const log = Object.assign(createLogger('test', 'silent'), {
    warn: (line: string) => void lines.push(line),
  });
  domainOptions({ config: readConfig({ ...environment, NODE_ENV }), log }).onExcessRights?.(
    'the role owns the tables',
  );
  return lines;
}

test('a process in production warns of a role that could switch the guards off; on a desk nobody is warned', () => {
  expect(told('production')).toEqual(['the role owns the tables']);
  expect(told('development')).toEqual([]);
});
