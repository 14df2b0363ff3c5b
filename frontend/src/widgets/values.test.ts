import {describe, expect, test, vi} from 'vitest';
import {
  backgroundOf,
  blockStyle,
  borderSides,
  boxStyle,
  colorOf,
  imageSource,
  lengthOf,
  paddingOf,
  radiusOf,
  safeCss,
  spacingOf,
  spacingSides,
} from './values.js';

describe('units', () => {
  test('a number is pixels for a size and units of the spacing token for a gap', () => {
    expect(lengthOf(12)).toBe('12px');
    expect(lengthOf('12')).toBe('12px');
    expect(spacingOf(3)).toBe('calc(var(--chatkit-space) * 3)');
  });

  test('a CSS string passes as it is', () => {
    expect(lengthOf('50%')).toBe('50%');
    expect(spacingOf('1rem 2rem')).toBe('1rem 2rem');
  });

  test.each([null, undefined, Number.NaN, Number.POSITIVE_INFINITY, -4, [], {}, true])('%s is no size', value => {
    expect(lengthOf(value)).toBeUndefined();
  });

  test('a number beyond any screen is cut', () => {
    expect(lengthOf(1e9)).toBe('4000px');
  });

  test('a side wins over its axis', () => {
    expect(spacingSides('padding', {x: 2, left: 5, top: 1})).toEqual({
      'padding-top': 'calc(var(--chatkit-space) * 1)',
      'padding-right': 'calc(var(--chatkit-space) * 2)',
      'padding-bottom': undefined,
      'padding-left': 'calc(var(--chatkit-space) * 5)',
    });
  });

  test('borders take a number, a line or a line per side', () => {
    expect(borderSides(1)).toEqual({border: '1px solid var(--chatkit-border-default)'});
    expect(borderSides({size: 2, color: 'strong', style: 'dashed'})).toEqual({
      border: '2px dashed var(--chatkit-border-strong)',
    });
    expect(borderSides({y: 1, top: {size: 3, color: 'red-500'}})).toMatchObject({
      'border-top': '3px solid var(--chatkit-red-500)',
      'border-bottom': '1px solid var(--chatkit-border-default)',
      'border-left': undefined,
    });
  });
  test('a border of an unknown colour keeps its line', () => {
    vi.stubGlobal('CSS', {supports: (_: string, value: string) => value === 'tomato'});
    expect(borderSides({left: {size: 5, color: 'teal-400'}, right: {size: 1, color: 'tomato'}})).toMatchObject({
      'border-left': '5px solid var(--chatkit-border-default)',
      'border-right': '1px solid tomato',
    });
    vi.unstubAllGlobals();
  });

  test('size sets both axes and an axis of its own wins', () => {
    expect(blockStyle({size: 40, height: 20})).toMatchObject({width: '40px', height: '20px'});
  });

  test('a maximum width never exceeds the thread', () => {
    expect(blockStyle({maxWidth: 900})['max-width']).toBe('min(100%, 900px)');
  });

  test('radii are names', () => {
    expect(radiusOf('2xl')).toBe('var(--chatkit-radius-2xl)');
    expect(radiusOf('none')).toBe('0');
  });
});

describe('colours', () => {
  test('a token means what its family says', () => {
    expect(colorOf('secondary', 'text')).toBe('var(--chatkit-text-secondary)');
    expect(colorOf('surface-secondary', 'background')).toBe('var(--chatkit-surface-secondary)');
    expect(colorOf('subtle', 'border')).toBe('var(--chatkit-border-subtle)');
    expect(colorOf('blue', 'chart')).toBe('var(--chatkit-blue-400)');
  });

  test.each(['red-100', 'gray-500', 'purple-1000'])('%s is a step of a ramp', name => {
    expect(colorOf(name, 'text')).toBe(`var(--chatkit-${name})`);
  });

  test('a share of the text colour is a token', () => {
    expect(colorOf('alpha-10', 'background')).toBe('var(--chatkit-alpha-10)');
  });

  test('light and dark become one value that follows the scheme', () => {
    expect(colorOf({light: '#fff', dark: 'gray-900'}, 'text')).toBe('light-dark(#fff, var(--chatkit-gray-900))');
    expect(colorOf({light: 'red'}, 'text')).toBe('red');
  });

  test('gradients are chosen by the scheme, because light-dark() takes colours only', () => {
    const value = {light: 'linear-gradient(red, blue)', dark: 'linear-gradient(black, blue)'};
    expect(backgroundOf(value, 'dark')).toBe('linear-gradient(black, blue)');
  });
});

describe('hostile values', () => {
  test.each([
    'url(https://evil.example/x.png)',
    'URL(x)',
    'image-set(x)',
    'red; position: fixed',
    'red} * {display: none',
    'expression(alert(1))',
    '@import x',
    'u\\72l(x)',
    'red /* x */',
    'attr(title)',
    '-moz-element(#x)',
    'x'.repeat(400),
    '',
  ])('%s is refused as CSS', value => {
    expect(safeCss(value)).toBeUndefined();
    expect(colorOf(value, 'background')).toBeUndefined();
  });

  test('no prop sets position or stacking', () => {
    const style = boxStyle({position: 'fixed', zIndex: 9, inset: 0, background: 'red'}, 'light');
    expect(Object.keys(style).filter(name => /position|z-index|inset/.test(name))).toEqual([]);
  });

  test('an object that cannot become a string is no reason to fail', () => {
    const trap = {toString: 1, valueOf: 1};
    expect(() =>
      boxStyle({align: trap, wrap: trap, gap: trap, background: {light: trap}, border: trap}, 'light'),
    ).not.toThrow();
  });

  test.each([
    'javascript:alert(1)',
    'data:text/html,x',
    'file:///etc/passwd',
    '//evil.example/x.png',
    ' vbscript:x',
    'blob:https://evil.example/x',
    null,
  ])('%s is no picture', source => {
    expect(imageSource(source)).toBeUndefined();
  });

  test.each([
    'https://example.org/a.png',
    '/static/a.png',
    './a.png',
    'images/a.png',
    'data:image/png;base64,AA',
    `blob:${location.origin}/x`,
  ])('%s is a picture', source => {
    expect(imageSource(source)).toBe(source);
  });
});

test('what is flush reaches over every padding, side by side', () => {
  const reach = (value: unknown, other?: string) =>
    ['top', 'right', 'bottom', 'left'].map(side => paddingOf(value, other)[`--flush-${side}`]);
  const unit = 'calc(var(--chatkit-space) * 3)';
  expect(reach({left: 3}, '0px')).toEqual(['0px', '0px', '0px', unit]);
  expect(reach({left: 3})).toEqual([undefined, undefined, undefined, unit]);
  expect(reach(3, '0px')).toEqual([unit, unit, unit, unit]);
  expect(reach('4px 12px')).toEqual(['4px', '12px', '4px', '12px']);
  expect(reach('1px 2px 3px 4px')).toEqual(['1px', '2px', '3px', '4px']);
  expect(reach(undefined, '0px')).toEqual([undefined, undefined, undefined, undefined]);
});
