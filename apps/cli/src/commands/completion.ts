import { Argument, Command } from '@commander-js/extra-typings';
import type { AnyCommand, Declare } from '../command.js';

const shells = ['bash', 'zsh', 'fish'] as const;

export const completion: Declare = ({ say }) =>
  new Command('completion')
    .description('print the script with which a shell completes commands and options')
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .addHelpText(
      'after',
      '\nExamples:\n  source <(replenish completion bash)\n  replenish completion fish > ~/.config/fish/completions/replenish.fish',
    )
    .action((shell, _options, self) => {
      const words = wordsAfter(self.parent as AnyCommand);
      say((shell === 'fish' ? fishScript : bashScript)(words, shell));
    });

/** The words that may follow each command: `client` is followed by `create`, `list` and so on. */
type CompletionWords = ReadonlyMap<string, readonly string[]>;

function wordsAfter(command: AnyCommand, path: readonly string[] = []): Map<string, readonly string[]> {
  const below = command.commands.map((one) => [one.name(), one as AnyCommand] as const);
  const options = command.createHelp().visibleOptions(command as never);
  const choices = command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices);
  const words = [...below.map(([name]) => name), ...choices, ...options.map(({ long }) => long!)];
  const deeper = below.flatMap(([name, one]) => [...wordsAfter(one, [...path, name])]);
  return new Map([[path.join(' '), words], ...deeper]);
}

// zsh can run completions for bash.
const bashScript = (words: CompletionWords, shell: string): string => `${
  shell === 'zsh' ? 'autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n' : ''
}_replenish() {
  local path='' word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path $word" in
${[...words.keys()]
  .filter((path) => path !== '')
  .map((path) => `      '${path.includes(' ') ? '' : ' '}${path}') path='${path}' ;;`)
  .join('\n')}
    esac
  done
  case "$path" in
${[...words].map(([path, after]) => `    '${path}') word='${after.join(' ')}' ;;`).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$word" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _replenish replenish`;

const fishScript = (words: CompletionWords): string =>
  [
    'complete -c replenish -f',
    ...[...words].flatMap(([path, after]) =>
      after.map((word) => `complete -c replenish -n '${fishCondition(words, path)}' ${fishWord(word)}`),
    ),
  ].join('\n');

function fishCondition(words: CompletionWords, path: string): string {
  const below = (words.get(path) ?? []).filter((word) => words.has(`${path} ${word}`.trim()));
  const seen = path
    .split(' ')
    .filter(Boolean)
    .map((word) => `__fish_seen_subcommand_from ${word}`);
  const unseen = below.length === 0 ? [] : [`not __fish_seen_subcommand_from ${below.join(' ')}`];
  return [...seen, ...unseen].join('; and ') || 'true';
}

const fishWord = (word: string): string => (word.startsWith('--') ? `-l ${word.slice(2)}` : `-a ${word}`);
