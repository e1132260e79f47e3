import { parseArgs } from 'node:util';
import { type FormName, forms, isCommand, isForm, usage, usageOf } from './syntax.js';

/** The command line says something that the command does not take. Exit code 2. */
export class Misuse extends Error {
  override readonly name = 'Misuse';
}

export type Values<N extends FormName> = ReturnType<
  typeof parseArgs<{ options: (typeof forms)[N]['options'] }>
>['values'];

/** `operand` is empty where the form takes none. */
export type Parsed<N extends FormName = FormName> = Readonly<{ name: N; values: Values<N>; operand: string }>;

/** What is asked for, or the usage that is. @throws Misuse that names the bad argument */
export function parseCommandLine(args: readonly string[]): Parsed | Readonly<{ help: string }> {
  const [first = '', second = ''] = args;
  const wantsHelp = first === 'help' || args.includes('--help') || args.includes('-h');
  if (!isCommand(first)) {
    if (wantsHelp) return { help: usage() };
    throw new Misuse(first === '' ? 'no command given' : `unknown command: ${first}`);
  }
  if (wantsHelp) return { help: usageOf(first) };
  const both = `${first} ${second}`;
  if (isForm(both)) return parseForm(both, args.slice(2));
  if (isForm(first)) return parseForm(first, args.slice(1));
  throw new Misuse(second === '' ? `${first} what?` : `unknown: ${both}`);
}

function parseForm<N extends FormName>(name: N, args: readonly string[]): Parsed<N> {
  const form: { operand?: string; options: (typeof forms)[N]['options'] } = forms[name];
  const { values, positionals } = strictly(() =>
    parseArgs({ args: [...args], options: form.options, allowPositionals: true }),
  );
  const [surplus] = positionals.slice(form.operand === undefined ? 0 : 1);
  if (surplus !== undefined) throw new Misuse(`unexpected argument: ${surplus}`);
  const [operand = ''] = positionals;
  if (form.operand !== undefined && operand === '') throw new Misuse(`${form.operand} is missing`);
  return { name, values: values as Values<N>, operand };
}

/** The first sentence of Node's own words: what follows is advice for another case. */
function strictly<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new Misuse((error as Error).message.split(/\.\s|\.?$/)[0]!, { cause: error });
  }
}

/** The usage that goes with a misuse of these arguments. */
export const usageFor = ([first = '']: readonly string[]): string =>
  isCommand(first) ? usageOf(first) : usage();
