import { expect, test } from '@jest/globals';
import { BadConfiguration } from '../../src/config/read.js';
import { requireProviders } from '../../src/config/required.js';

test('a worker without a configured provider does not start', () => {
  expect(requireProviders(['sandbox'])).toEqual(['sandbox']);
  expect(() => requireProviders([])).toThrow(BadConfiguration);
});
