/** Every word that widgets show by themselves, in one place so that they can be translated. */

export interface Messages {
  readonly showMore: (count: number) => string;
  readonly showLess: string;
  readonly patternMismatch: string;
  readonly valueMissing: string;
  readonly chart: (series: string) => string;
  readonly chartHint: string;
}

export const ENGLISH: Messages = {
  showMore: count => `Show ${count} more`,
  showLess: 'Show less',
  patternMismatch: 'Please match the requested format.',
  valueMissing: 'Please fill in this field.',
  chart: series => (series === '' ? 'Chart' : `Chart: ${series}`),
  chartHint: 'Use the arrow keys to read the values.',
};
