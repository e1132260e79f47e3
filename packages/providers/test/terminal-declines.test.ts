import { expect, test } from '@jest/globals';
import { meaningOfCode } from '../src/alibaba-cloud/codes.js';
import { terminalDeclines } from '../src/index.js';

test('each code of a payee that is gone is a definite refusal of its provider', () => {
  const gone = Object.keys(terminalDeclines).filter((code) => terminalDeclines[code] === 'payee_gone');
  expect(gone).toContain('AccountNotExist');
  for (const code of gone)
    expect(meaningOfCode({ status: 400, code, message: 'gone' })).toMatchObject({ kind: 'rejected', code });
});

test('a card without enough money is not among them, because it may have some later', () => {
  expect(terminalDeclines).toMatchObject({
    authentication_required: 'payer_needed',
    lost_card: 'source_gone',
  });
  expect(terminalDeclines).not.toHaveProperty('insufficient_funds');
});
