import {readFileSync} from 'node:fs';
import {resolve} from 'node:path';
import {expect, it} from 'vitest';
import {pageStrings} from '../strings.js';

const PAGE = readFileSync(resolve(import.meta.dirname, '../../../static/index.html'), 'utf8');

it('has no words in index.html but those of the table of texts', () => {
  const page = new DOMParser().parseFromString(
    PAGE.replace(/<script[^>]*><\/script>|<link[^>]*>|<!--.*?-->/gs, ''),
    'text/html',
  );
  const words = page.documentElement.textContent.split('\n').map(line => line.trim());
  expect(words.filter(line => line !== '')).toEqual([pageStrings.title, pageStrings.needsScript]);
  expect(page.querySelector('meta[name=description]')?.getAttribute('content')).toBe(pageStrings.description);
  expect(page.querySelectorAll('[title], [alt], [aria-label], [placeholder]')).toHaveLength(0);
});
