import {describe, expect, test} from 'vitest';
import {buildChart, type ChartData} from './chart-data.js';
import {curveThrough} from './chart-path.js';

function chart(props: Record<string, unknown>): ChartData {
  const data = buildChart({type: 'Chart', ...props});
  if (data === null) {
    throw new Error('nothing to draw');
  }
  return data;
}

describe('the data of a chart', () => {
  test('labels of the axis replace raw categories', () => {
    const data = chart({
      data: [
        {day: 'mon', y: 1},
        {day: 'tue', y: 2},
      ],
      series: [{type: 'bar', dataKey: 'y'}],
      xAxis: {dataKey: 'day', labels: {mon: 'Monday'}},
    });
    expect(data.categories).toEqual(['Monday', 'tue']);
    expect(data.series[0]?.label).toBe('y');
  });

  test('a missing value is a hole and not a zero', () => {
    const data = chart({
      data: [{y: 1}, {y: null}, {}, {y: 'n/a'}, {y: '4'}],
      series: [{type: 'line', dataKey: 'y', label: null}],
      xAxis: 'x',
    });
    expect(data.series[0]?.marks.map(mark => mark.value)).toEqual([1, null, null, null, 4]);
  });

  test('positive and negative values pile up on their own sides', () => {
    const data = chart({
      data: [{a: 2, b: -3, c: 4}],
      series: ['a', 'b', 'c'].map(dataKey => ({type: 'bar', dataKey, stack: 's'})),
      xAxis: 'x',
    });
    expect(data.series.map(({marks}) => [marks[0]?.from, marks[0]?.to])).toEqual([
      [0, 2],
      [0, -3],
      [2, 6],
    ]);
    expect(data.min).toBeLessThanOrEqual(-3);
    expect(data.max).toBeGreaterThanOrEqual(6);
  });

  test('bars start at zero, lines need not', () => {
    const props = {data: [{y: 101}, {y: 104}], xAxis: 'x'};
    expect(chart({...props, series: [{type: 'bar', dataKey: 'y'}]}).min).toBe(0);
    expect(chart({...props, series: [{type: 'line', dataKey: 'y'}]}).min).toBeGreaterThan(90);
  });

  test.each([[[7]], [[0]], [[-2.5]], [[1e-7, 2e-7]], [[-1e12, 1e12]]])(
    'the scale around %s is finite and has few ticks',
    values => {
      const data = chart({data: values.map(y => ({y})), series: [{type: 'line', dataKey: 'y'}], xAxis: 'x'});
      expect(data.ticks.length).toBeGreaterThan(1);
      expect(data.ticks.length).toBeLessThan(9);
      expect(data.max).toBeGreaterThan(data.min);
      for (const value of values) {
        expect(value).toBeGreaterThanOrEqual(data.min);
        expect(value).toBeLessThanOrEqual(data.max);
      }
    },
  );

  test('colours follow the palette unless a series brings its own', () => {
    const data = chart({
      data: [{a: 1, b: 1}],
      series: [
        {type: 'bar', dataKey: 'a'},
        {type: 'bar', dataKey: 'b', color: 'red'},
        {type: 'bar', dataKey: 'a'},
      ],
      xAxis: 'x',
    });
    expect(data.series.map(series => series.color)).toEqual([
      'var(--chatkit-blue-400)',
      'var(--chatkit-red-400)',
      'var(--chatkit-orange-400)',
    ]);
  });

  test.each([{}, {data: null, series: 3}, {data: [{}], series: [{type: 'bar'}]}, {data: [], series: [{dataKey: 'a'}]}])(
    '%j draws nothing',
    props => {
      expect(buildChart({type: 'Chart', ...props})).toBeNull();
    },
  );

  test('rows and series that are null are left out', () => {
    const data = buildChart({
      type: 'Chart',
      data: [null, {d: 'Mon', t: 3}, 7],
      series: [null, {dataKey: 't', label: null, color: null}],
      xAxis: 'd',
    });
    expect(data?.categories).toEqual(['Mon']);
    expect(data?.series.map(({label, marks}) => [label, marks.map(({value}) => value)])).toEqual([['t', [3]]]);
  });

  test('a thousand and one rows are cut', () => {
    const data = chart({
      data: Array.from({length: 1001}, (_, y) => ({y})),
      series: [{type: 'line', dataKey: 'y'}],
      xAxis: 'x',
    });
    expect(data.categories).toHaveLength(1000);
  });
});

test('a smooth curve stays between its points', () => {
  const path = curveThrough(
    [
      {x: 0, y: 0},
      {x: 10, y: 100},
      {x: 20, y: 100},
      {x: 30, y: 20},
    ],
    'smooth',
  );
  const ys = [...path.matchAll(/,(-?[\d.]+)/g)].map(([, y]) => Number(y));
  expect(Math.min(...ys)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...ys)).toBeLessThanOrEqual(100);
});

test('steps turn where their name says', () => {
  const points = [
    {x: 0, y: 0},
    {x: 10, y: 5},
  ];
  expect(curveThrough(points, 'stepBefore')).toBe('V5H10');
  expect(curveThrough(points, 'stepAfter')).toBe('H10V5');
  expect(curveThrough(points, 'step')).toBe('H5V5H10');
});
