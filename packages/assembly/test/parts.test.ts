import { expect, test } from '@jest/globals';
import { createLogger, readConfig } from '@replenish/runtime';
import { domainOptions } from '../src/parts.js';

const environment = { REPLENISH_DIR: '/nowhere', DATABASE_URL: 'postgres://replenish@localhost/replenish' };

/** The lines that a process logs about the rights of its database role. */
function loggedLines(NODE_ENV: string): string[] {
  const lines: string[] = [];
  const log = Object.assign(createLogger('test', 'silent'), {
    warn: (line: string) => void lines.push(line),
  });
  domainOptions({ config: readConfig({ ...environment, NODE_ENV }), log }).onExcessRights?.(
    'the role owns the tables',
  );
  return lines;
}

test('production logs a warning about a role with too many rights, development does not', () => {
  expect(loggedLines('production')).toEqual(['the role owns the tables']);
  expect(loggedLines('development')).toEqual([]);
});
