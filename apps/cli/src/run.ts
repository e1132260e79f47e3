import { types } from 'node:util';
import type { CommanderError } from '@commander-js/extra-typings';
import { type AnyCommand, Misuse, type Terminal } from './command.js';
import { programOf } from './program.js';

/** Ends the run after help or the version was printed. */
class Answered extends Error {}

/** Wrong arguments, with the text below the first line of the message. */
class Misunderstanding extends Error {
  constructor(
    message: string,
    readonly advice: string,
  ) {
    super(message);
  }
}

/** Runs one command line. Exit codes: 2 for wrong arguments, 1 for a failure, otherwise the command's own. */
export async function run(args: readonly string[], surroundings: Terminal): Promise<number> {
  let exitCode = 0;
  const exitWith = (code: number) => {
    exitCode = code;
  };
  const asJson = args.includes('--json');
  const program = programOf({ ...surroundings, exitWith }, misunderstood);
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof Answered) return 0;
    const reason = await reasonOf(error);
    if (asJson) surroundings.say(JSON.stringify({ ok: false, error: reason }));
    else surroundings.complain(error instanceof Misunderstanding ? `${reason}\n\n${error.advice}` : reason);
    return error instanceof Misunderstanding || error instanceof Misuse ? 2 : 1;
  }
}

/**
 * Commander's method for an unknown option, whose error suggests the right option. It is missing in commander's types.
 */
type Suggesting = { unknownOption: (flag: string) => never };

function misunderstood(command: AnyCommand, { exitCode, code, message }: CommanderError): never {
  if (exitCode === 0) throw new Answered();
  const path = pathOf(command);
  // For a command that needs a command below it, commander prints help and throws an error without a text.
  if (code === 'commander.help')
    throw new Misunderstanding(
      command.parent ? `${path}: no command given` : 'no command given',
      command.helpInformation().trimEnd(),
    );
  const unknown = command.args.find((word) => word.startsWith('-'));
  // If one option is unknown and another one is missing, the unknown one is probably the missing one with a wrong
  // spelling. Commander would report the missing one, so the unknown one is reported here.
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

/** One sentence for an operator. The messages of libraries are written for programmers. */
async function reasonOf(error: unknown): Promise<string> {
  if (!types.isNativeError(error)) return String(error);
  if (error instanceof Misunderstanding || error instanceof Misuse) return error.message;
  const { storeFaultInWords } = await import('@replenish/domain');
  return storeFaultInWords(error) ?? error.message;
}
