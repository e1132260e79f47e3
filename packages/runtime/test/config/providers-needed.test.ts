import { expect, test } from '@jest/globals';
import { BadConfiguration, requireProviders } from '../../src/config/read.js';

test('a worker without a configured provider does not start', () => {
  expect(requireProviders(['sandbox'])).toEqual(['sandbox']);
  expect(() => requireProviders([])).toThrow(BadConfiguration);
});
