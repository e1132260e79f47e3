import { types } from 'node:util';
import type { CommanderError } from '@commander-js/extra-typings';
import { type AnyCommand, Misuse, type Terminal } from './command.js';
import { programOf } from './program.js';

/** Help or the version was asked for, and printed. */
class Answered extends Error {}

/** Arguments that a command cannot take, with what to say about it below the first line. */
class Misunderstanding extends Error {
  constructor(
    message: string,
    readonly advice: string,
  ) {
    super(message);
  }
}

/** Exit codes: 2 for arguments that a command does not take, 1 for what did not work, else the command's own. */
export async function run(args: readonly string[], desk: Terminal): Promise<number> {
  let exitCode = 0;
  const exitWith = (code: number) => {
    exitCode = code;
  };
  const asJson = args.includes('--json');
  const program = programOf({ ...desk, exitWith }, misunderstood);
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof Answered) return 0;
    const reason = await reasonOf(error);
    if (asJson) desk.say(JSON.stringify({ ok: false, error: reason }));
    else desk.complain(error instanceof Misunderstanding ? `${reason}\n\n${error.advice}` : reason);
    return error instanceof Misunderstanding || error instanceof Misuse ? 2 : 1;
  }
}

/** Commander's own error for an unknown option, with the one that is meant. Its types leave it out. */
type Suggesting = { unknownOption: (flag: string) => never };

function misunderstood(command: AnyCommand, { exitCode, code, message }: CommanderError): never {
  if (exitCode === 0) throw new Answered();
  const path = pathOf(command);
  // Commander shows the help of a command that only has commands below it, and calls it an error without words.
  if (code === 'commander.help')
    throw new Misunderstanding(
      command.parent ? `${path}: no command given` : 'no command given',
      command.helpInformation().trimEnd(),
    );
  const unknown = command.args.find((word) => word.startsWith('-'));
  // A misspelt option is the likelier fault than the missing one that it stands for, and commander names the latter.
  if (code === 'commander.missingMandatoryOptionValue' && unknown !== undefined)
    (command as unknown as Suggesting).unknownOption(unknown);
  const surplus = command.args[command.registeredArguments.length];
  const words =
    code === 'commander.excessArguments' && surplus !== undefined
      ? `unexpected argument: ${surplus}`
      : message.replace(/^error: /, '').replace(/\n+/g, ' ');
  throw new Misunderstanding(words, `usage: ${path} ${command.usage()}\n${path} --help says more.`);
}

const pathOf = (command: AnyCommand): string =>
  command.parent ? `${pathOf(command.parent as AnyCommand)} ${command.name()}` : command.name();

/** One sentence for an operator: the texts of libraries speak to those who wrote the call. */
async function reasonOf(error: unknown): Promise<string> {
  if (!types.isNativeError(error)) return String(error);
  if (error instanceof Misunderstanding || error instanceof Misuse) return error.message;
  const { storeFaultInWords } = await import('@replenish/domain');
  return storeFaultInWords(error) ?? error.message;
}
