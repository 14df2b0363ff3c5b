import * as d3 from 'd3-shape';
import {describe, expect, test} from 'vitest';
import {buildChart, type ChartData} from './chart-data.js';
import {chooseLabels} from './chart-labels.js';
import {areaBelow, CURVES, type Curve, isVisible, lineThrough} from './chart-path.js';
import {plotOf} from './chart-plot.js';

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

  test.each([
    [1500, 1, 1500, 1],
    [2500, 1, 2000, 1],
    [1500, 20, 600, 20],
    [3, 30, 3, 24],
  ])('of %i rows and %i series, %i and %i are drawn, and it is known how many there are', (rows, series, ...drawn) => {
    const data = chart({
      data: Array.from({length: rows}, (_, y) => ({y})),
      series: Array.from({length: series}, () => ({type: 'line', dataKey: 'y'})),
      xAxis: 'x',
    });
    expect([data.categories.length, data.series.length]).toEqual(drawn);
    expect([data.rowCount, data.seriesCount]).toEqual([rows, series]);
    expect(new Set(data.series.map(({color}) => color)).size).toBe(data.series.length);
  });

  test.each([[[1, 2]], [[0, 1]], [[3]], [[1, 2, 3, -1]]])('counts of %j are read at whole numbers', values => {
    const data = chart({data: values.map(y => ({y})), series: [{type: 'bar', dataKey: 'y'}], xAxis: 'x'});
    expect(data.ticks.filter(tick => !Number.isInteger(tick))).toEqual([]);
    const labels = plotOf(data, 'en').tickLabels;
    expect(new Set(labels).size).toBe(labels.length);
  });

  test.each([[[0.001, 0.002]], [[1e-7, 2e-7]], [[1_000_000, 1_000_001]], [[0, 2.5e9]], [[-5e6, 5e6]]])(
    'each tick around %j is told from the others',
    values => {
      const data = chart({data: values.map(y => ({y})), series: [{type: 'line', dataKey: 'y'}], xAxis: 'x'});
      const labels = plotOf(data, 'en').tickLabels;
      expect(new Set(labels).size).toBe(labels.length);
    },
  );
});

describe('curves', () => {
  const names = Object.keys(CURVES) as readonly Curve[];
  const points = [0, 100, 100, 20, 60].map((y, index) => ({x: index * 25, y, floor: 100}));

  test('are those of d3-shape, each by its name', () => {
    const paths = names.map(name => [name, lineThrough(points, name)] as const);
    expect(paths).toHaveLength(15);
    const factories = new Map(Object.entries(d3));
    for (const [name, path] of paths) {
      const wanted = {bump: 'bumpX', monotone: 'monotoneX'}[name as string] ?? name;
      const factory = factories.get(`curve${wanted[0]?.toUpperCase()}${wanted.slice(1)}`) as typeof d3.curveBasis;
      const expected = d3.line().curve(factory);
      expect(path, name).toBe(expected(points.map(({x, y}): [number, number] => [x, y])));
    }
    // Two are other names for one that runs along x.
    expect(new Set(paths.map(([, path]) => path)).size).toBe(13);
  });

  test.each(names)('%s lies above a floor where it is an area', name => {
    const path = areaBelow(points, name);
    expect(path.startsWith('M')).toBe(true);
    expect(path).not.toContain('NaN');
  });

  test('a path through too few points is known to show nothing', () => {
    const isSeen = (count: number, name: Curve) => isVisible(lineThrough(points.slice(0, count), name));
    expect([1, 2].map(count => isSeen(count, 'linear'))).toEqual([false, true]);
    expect([1, 2, 3, 4].map(count => isSeen(count, 'basisOpen'))).toEqual([false, false, false, true]);
  });
});

describe('the names below a chart', () => {
  const evenly = (count: number, room: number) =>
    Array.from({length: count}, (_, index) => (count === 1 ? room / 2 : (index * room) / (count - 1)));
  const same = (count: number, width: number) => Array.from({length: count}, () => width);

  test('are all there where there is room', () => {
    expect(chooseLabels(evenly(5, 400), same(5, 40), 400).map(({index}) => index)).toEqual([0, 1, 2, 3, 4]);
  });

  test.each([
    [1, 50, 300],
    [2, 290, 300],
    [7, 90, 300],
    [12, 30, 220],
    [200, 60, 640],
    [3, 400, 300],
  ])('of %i labels of %i px in %i px, none is cut and none covers another', (count, width, room) => {
    const widths = same(count, Math.min(width, room));
    const placed = chooseLabels(evenly(count, room), widths, room);
    expect(placed.length).toBeGreaterThan(0);
    for (const [at, {index, left}] of placed.entries()) {
      expect(left).toBeGreaterThanOrEqual(0);
      expect(left + (widths[index] ?? 0)).toBeLessThanOrEqual(room);
      const before = placed[at - 1];
      if (before) expect(left).toBeGreaterThanOrEqual(before.left + (widths[before.index] ?? 0));
    }
  });

  test('there are none where there is no row', () => {
    expect(chooseLabels([], [], 300)).toEqual([]);
  });
});
