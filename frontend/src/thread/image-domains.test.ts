import {expect, it} from 'vitest';
import {ImageDomains} from './image-domains.js';

it('joins what page, server and thread allow, and stays the same object as long as they do', () => {
  const domains = new ImageDomains();
  const page = ['a.example'];
  const all = domains.join(page, ['b.example'], []);
  expect(all).toEqual(['a.example', 'b.example']);
  expect(domains.join(page, ['b.example'], ['a.example'])).toBe(all);
  expect(domains.join(page, [], ['c.example'])).toEqual(['a.example', 'c.example']);
});
