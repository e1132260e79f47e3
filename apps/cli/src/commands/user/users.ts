import { Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import type { OperatorChange, OperatorRow } from '@replenish/domain';
import { isOperatorName, operatorRoles } from '@replenish/domain/rules';
import { ACTOR_OPTION, actorOf } from '../../actor.js';
import { withDomain } from '../../books.js';
import { type Declare, JSON_ABOUT } from '../../command.js';
import { tableOf } from '../../table.js';
import { newPassword, printNewUser } from './new-user.js';

const NAME = 'name of the user, as `user list` shows it';

function userName(text: string): string {
  if (isOperatorName(text)) return text;
  throw new InvalidArgumentError(
    'It must be 1 to 64 of A-Z a-z 0-9 . _ @ - and begin with a letter or a digit.',
  );
}

const roleOption = () =>
  new Option('--role <role>', 'viewer looks, operator acts, approver approves, admin does everything')
    .choices(operatorRoles)
    .makeOptionMandatory();

export const create: Declare = ({ env, say }) =>
  new Command('create')
    .description('create a user of the console; the password and the second factor are printed once')
    .requiredOption('--name <name>', 'name that the user signs in with', userName)
    .addOption(roleOption())
    .option(...ACTOR_OPTION)
    .option('--json', JSON_ABOUT)
    .action(async ({ name, role, actor, json }) => {
      const { password, passwordHash } = await newPassword();
      const made = await withDomain(env, ({ operators }) =>
        operators.create({ name, role, passwordHash }, actorOf(actor)),
      );
      if (!made) throw new Error(`there is a user ${name} already`);
      printNewUser(say, made, password, json);
    });

export const reset: Declare = ({ env, say }) =>
  new Command('reset')
    .description('give a user a new password and second factor, and end the sessions')
    .argument('<name>', NAME)
    .option(...ACTOR_OPTION)
    .option('--json', JSON_ABOUT)
    .action(async (name, { actor, json }) => {
      const { password, passwordHash } = await newPassword();
      const made = await withDomain(env, ({ operators }) =>
        operators.reset(name, passwordHash, actorOf(actor)),
      );
      if (!made) throw noUser(name);
      printNewUser(say, made, password, json);
    });

export const role: Declare = ({ env, say }) =>
  new Command('role')
    .description('give a user another role; it holds at once')
    .argument('<name>', NAME)
    .addOption(roleOption())
    .option(...ACTOR_OPTION)
    .option('--json', JSON_ABOUT)
    .action(async (name, { role, actor, json }) => {
      const change = await withDomain(env, ({ operators }) => operators.setRole(name, role, actorOf(actor)));
      refuseUnchanged(name, change);
      say(json ? JSON.stringify({ user: name, role }) : `${name} is ${role} now`);
    });

export const disable: Declare = ({ env, say }) =>
  new Command('disable')
    .description('disable a user and end the sessions; `user reset` enables the user again')
    .argument('<name>', NAME)
    .option(...ACTOR_OPTION)
    .option('--json', JSON_ABOUT)
    .action(async (name, { actor, json }) => {
      const change = await withDomain(env, ({ operators }) => operators.disable(name, actorOf(actor)));
      refuseUnchanged(name, change);
      say(json ? JSON.stringify({ user: name, disabled: true }) : `disabled ${name}; the sessions are over`);
    });

export const endSessions: Declare = ({ env, say }) =>
  new Command('end-sessions')
    .description('end the sessions of a user everywhere, or of all users')
    .argument('[name]', `${NAME}; left out: all users`)
    .option(...ACTOR_OPTION)
    .option('--json', JSON_ABOUT)
    .action(async (name, { actor, json }) => {
      const ended = await withDomain(env, ({ operators }) =>
        operators.endSessions(name ?? null, actorOf(actor)),
      );
      say(json ? JSON.stringify({ ended }) : `ended ${ended} sessions`);
    });

export const list: Declare = ({ env, say, paint }) =>
  new Command('list')
    .description('list the users of the console')
    .option('--json', JSON_ABOUT)
    .action(async ({ json }) => {
      const users = await withDomain(env, ({ operators }) => operators.list());
      if (json) say(JSON.stringify(users.map(({ name, ...rest }) => ({ user: name, ...rest }))));
      else if (users.length === 0) say('no user yet: `replenish user create --help` says how to make one');
      else say(tableOf(HEADS, users.map(rowOf), paint));
    });

const HEADS = ['USER', 'ROLE', 'STATE', 'SECOND FACTOR', 'RECOVERY CODES', 'SESSIONS'];

const rowOf = (one: OperatorRow): string[] => [
  ...[one.name, one.role, one.disabledAt ? 'disabled' : 'active', one.hasSecondFactor ? 'yes' : 'no'],
  ...[String(one.recoveryCodesLeft), String(one.openSessions)],
];

function refuseUnchanged(name: string, change: OperatorChange): void {
  if (change === 'unknown') throw noUser(name);
  if (change === 'no_second_factor')
    throw new Error(
      `${name} has no second factor, which this role needs: \`replenish user reset ${name}\` makes one`,
    );
}

const noUser = (name: string): Error => new Error(`no active user ${name}`);
