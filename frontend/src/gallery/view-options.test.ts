import {describe, expect, it} from 'vitest';
import {readView, writeView} from './view-options.js';

describe('the view of the gallery', () => {
  it('is what the address says, and the first choice for what it does not say or says wrongly', () => {
    const usual = {scheme: 'light', width: 'full', dir: 'ltr', text: '100'};
    expect(readView('')).toEqual(usual);
    expect(readView('?scheme=dark&width=320&dir=rtl&text=200')).toEqual({
      ...{scheme: 'dark', width: '320', dir: 'rtl', text: '200'},
    });
    expect(readView('?scheme=__proto__&width=1&dir=up&text=%00')).toEqual(usual);
  });

  it('is the same after it was written into the address', () => {
    const view = readView('?scheme=dark&width=1000');
    expect(readView(writeView(view))).toEqual(view);
  });
});
