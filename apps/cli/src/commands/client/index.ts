import { Command } from '@commander-js/extra-typings';
import type { Declare } from '../../command.js';
import { create } from './create.js';
import { key } from './key.js';
import { list } from './list.js';
import { revoke } from './revoke.js';
import { rotate } from './rotate.js';

/**
 * Commands about clients, which are producers. A secret is printed once. The database has its hash and a sealed copy.
 */
export const client: Declare = (run) =>
  [create, list, rotate, revoke, key].reduce(
    (group, declare) => group.addCommand(declare(run)),
    new Command('client').description('create, list, rotate and revoke the keys of producers'),
  );
