import { expect, test } from '@jest/globals';
import { StoreUnavailable } from '../../src/store/database/failure.js';
import { storeFaultInWords } from '../../src/store/database/failure-words.js';

const refused = (code: string, message: string) => Object.assign(new Error(message), { code });

test.each([
  [new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string'), 'user or the password'],
  [new Error('The server does not support SSL connections'), 'takes no TLS connection'],
  [new StoreUnavailable('away', { cause: refused('25006', 'cannot execute INSERT') }), 'is read-only'],
  [new StoreUnavailable('away', { cause: refused('ECONNRESET', 'read ECONNRESET') }), 'does not answer'],
  [refused('42501', 'permission denied for table api_key'), 'may not do this'],
  [refused('22003', 'value 12 of bob is out of range'), '(22003)'],
])('%p has a sentence of its own', (error, words) => {
  const sentence = storeFaultInWords(error);
  expect(sentence).toContain(words);
  expect(sentence).not.toContain(error.message);
});

test('an error that is not the database’s has no sentence', () => {
  expect(storeFaultInWords(new Error('no active key rk_test_1'))).toBeNull();
  expect(storeFaultInWords(refused('ENOENT', 'no such file'))).toBeNull();
  const wrapped = new Error('another key stands for it', { cause: refused('23505', 'duplicate key') });
  expect(storeFaultInWords(wrapped)).toBeNull();
  expect(storeFaultInWords('gone')).toBeNull();
});
