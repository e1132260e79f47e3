import { expect, test } from '@jest/globals';
import { addShownTexts, addTexts, requestTextNames, requestTexts } from '../../src/core/request-texts.js';

const given = Object.fromEntries(requestTextNames.map((name) => [name, `text of ${name}`]));

test('every text of the list is added to a request', () => {
  expect(addTexts({ id: 'r' }, given)).toEqual({ id: 'r', ...given });
  const none = Object.fromEntries(requestTextNames.map((name) => [name, null]));
  expect(addTexts({ id: 'r' }, {})).toEqual({ id: 'r', ...none });
});

test('exactly the texts that answers show are added to an answer', () => {
  const shown = requestTextNames.filter((name) => requestTexts[name].isShown);
  expect(shown.length).toBeGreaterThan(0);
  expect(addShownTexts({ id: 'r' }, given)).toEqual({
    id: 'r',
    ...Object.fromEntries(shown.map((name) => [name, given[name]])),
  });
});
