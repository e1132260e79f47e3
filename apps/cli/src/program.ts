import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, type CommanderError } from '@commander-js/extra-typings';
import type { AnyCommand, CommandRun } from './command.js';
import { commands } from './commands/index.js';

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as {
  version: string;
};

export type Misunderstood = (command: AnyCommand, error: CommanderError) => never;

/** The whole command line as commander's tree. `misunderstood` is called with a command whose arguments are wrong. */
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

/**
 * Applies our settings to a command and to all commands below it. Commander does not pass settings on to commands that
 * are added later.
 */
function govern(command: AnyCommand, run: CommandRun, misunderstood: Misunderstood): void {
  command
    .helpOption('-h, --help', 'print what the command takes')
    .configureHelp({ helpWidth: 110, styleTitle: (title) => run.paint?.('bold', title) ?? title })
    // Commander prints no faults. The caller prints the thrown error, as text or JSON.
    .configureOutput({ writeOut: (text) => run.say(text.trimEnd()), writeErr: () => {} })
    .exitOverride((error) => misunderstood(command, error))
    // An option belongs to the command that it follows. `--json` may follow a command or a command below it.
    .enablePositionalOptions()
    .hook('preSubcommand', refuseMisplaced);
  refuseSilentLosses(command);
  for (const one of command.commands) govern(one as AnyCommand, run, misunderstood);
}

/**
 * Refuses a repeated option: commander would take only the last one. Also refuses an option in the place of a missing
 * value: commander would take the option as the value.
 */
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

/**
 * Refuses an option between a command and the command below it. Nothing would read it: `audit --client X drop` would
 * drop the calls of every client.
 */
function refuseMisplaced(command: AnyCommand, below: AnyCommand): void {
  const misplaced = command.options.find(
    (option) => command.getOptionValueSource(option.attributeName()) === 'cli',
  );
  if (misplaced)
    command.error(
      `error: option '${misplaced.flags}' does nothing in front of ${below.name()}: write it behind`,
    );
}
