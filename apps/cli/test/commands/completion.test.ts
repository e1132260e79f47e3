import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { run } from '../../src/run.js';

async function scriptFor(shell: string): Promise<string> {
  const lines: string[] = [];
  const say = (line: string) => void lines.push(line);
  expect(await run(['completion', shell], { env: {}, say, complain: say })).toBe(0);
  return lines.join('\n');
}

test.each([
  [['cl'], 'client'],
  [['client', ''], 'create list rotate revoke key --help'],
  [['client', 'r'], 'rotate revoke'],
  [['client', 'create', '--ex'], '--expires'],
  [['audit', 'd'], 'drop'],
  [['audit', 'drop', '--b'], '--before'],
  [['completion', 'z'], 'zsh'],
  [['verify', '--jsno', '--j'], '--json'],
])('bash completes %j', async (words, found) => {
  const script = await scriptFor('bash');
  const line = ['replenish', ...words];
  const ask = `${script}
COMP_WORDS=(${line.map((word) => `'${word}'`).join(' ')})
COMP_CWORD=${line.length - 1}
_replenish
echo "\${COMPREPLY[*]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', ask], { encoding: 'utf8' });
  expect({ stdout, stderr }).toEqual({ stdout: `${found}\n`, stderr: '' });
});

test.each(['zsh', 'fish'])('the script for %s names commands and options', async (shell) => {
  const script = await scriptFor(shell);
  expect(script).toContain('end-sessions');
  expect(script).toContain('allow-same-name');
});
