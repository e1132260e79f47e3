import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, type CommanderError } from '@commander-js/extra-typings';
import type { AnyCommand, CommandRun } from './command.js';
import { commands } from './commands/index.js';

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as {
  version: string;
};

export type Misunderstood = (command: AnyCommand, error: CommanderError) => never;

/** The whole command line as commander's tree. `misunderstood` hears which command could not take its arguments. */
export function programOf(run: CommandRun, misunderstood: Misunderstood): AnyCommand {
  const program: AnyCommand = new Command('replenish')
    .usage('<command> [options]')
    .version(version, '-V, --version', 'print the version')
    .addHelpText(
      'after',
      '\n`replenish <command> --help` says what a command takes.' +
        '\nSettings are environment variables: see docs/configuration.md',
    );
  for (const declare of commands) program.addCommand(declare(run));
  govern(program, run, misunderstood);
  return program;
}

/** The same manners for every command of the tree: commander hands them on to none that is added ready-made. */
function govern(command: AnyCommand, run: CommandRun, misunderstood: Misunderstood): void {
  command
    .helpOption('-h, --help', 'print what the command takes')
    .configureHelp({ helpWidth: 110, styleTitle: (title) => run.paint?.('bold', title) ?? title })
    // What is wrong is said by the error that is thrown, to people or to machines.
    .configureOutput({ writeOut: (text) => run.say(text.trimEnd()), writeErr: () => {} })
    .exitOverride((error) => misunderstood(command, error))
    // `--json` may stand behind a command and behind one below it: each option belongs to the word that it follows.
    .enablePositionalOptions()
    .hook('preSubcommand', refuseMisplaced);
  refuseSilentLosses(command);
  for (const one of command.commands) govern(one as AnyCommand, run, misunderstood);
}

/** Commander lets the last of two values win, and takes the next option for a value that was forgotten. */
function refuseSilentLosses(command: AnyCommand): void {
  for (const option of command.options) {
    let isGiven = false;
    command.on(`option:${option.name()}`, (value: string | null) => {
      if (isGiven && !option.variadic) command.error(`error: option '${option.flags}' is given twice`);
      isGiven = true;
      if (option.required && value?.startsWith('--'))
        command.error(`error: option '${option.flags}' argument missing`);
    });
  }
}

/** An option in front of the next word would be read and used by nobody: `audit --client X drop` drops every client's. */
function refuseMisplaced(command: AnyCommand, below: AnyCommand): void {
  const misplaced = command.options.find(
    (option) => command.getOptionValueSource(option.attributeName()) === 'cli',
  );
  if (misplaced)
    command.error(
      `error: option '${misplaced.flags}' does nothing in front of ${below.name()}: write it behind`,
    );
}
