import { Command } from '@commander-js/extra-typings';
import type { Declare } from '../../command.js';
import { create, disable, endSessions, list, reset, role } from './users.js';

/** Commands about the people who sign in to the console. */
export const user: Declare = (run) =>
  [create, list, role, reset, disable, endSessions].reduce(
    (group, declare) => group.addCommand(declare(run)),
    new Command('user').description('create, list and disable the people of the console'),
  );
