import {expect, test} from 'vitest';
import {optionsOf} from './control-parts.js';
import {findOptions, findTyped, stepOption} from './option-search.js';

const OPTIONS = optionsOf([
  {label: 'Apple', value: 'a'},
  {label: 'Apricot', value: 'b', disabled: true},
  {label: 'Avocado', value: 'c', description: 'From Israel'},
  {label: 'Éclair', value: 'd'},
]);

test('letters find a beginning, without case and accents', () => {
  expect(findTyped(OPTIONS, 'ec', 0)).toBe(3);
  expect(findTyped(OPTIONS, 'av', 0)).toBe(2);
  expect(findTyped(OPTIONS, 'x', 0)).toBe(-1);
});

test('one letter again walks on over options that cannot be chosen', () => {
  expect(findTyped(OPTIONS, 'a', 0)).toBe(2);
  expect(findTyped(OPTIONS, 'aa', 2)).toBe(0);
});

test('a search finds words in labels and descriptions', () => {
  expect(findOptions(OPTIONS, 'ISRAEL avo').map(({value}) => value)).toEqual(['c']);
  expect(findOptions(OPTIONS, '  ')).toHaveLength(4);
});

test('steps end at options that can be chosen', () => {
  expect(stepOption(OPTIONS, 0, 1)).toBe(2);
  expect(stepOption(OPTIONS, 3, 10)).toBe(3);
  expect(stepOption(OPTIONS, 2, -1)).toBe(0);
  expect(stepOption([], 0, 1)).toBe(-1);
  expect(stepOption(optionsOf([{value: 'x', disabled: true}]), 0, 1)).toBe(-1);
});
