/** The words of charts; they come with the lazy part that draws these, not with the core. */
export const chartStrings = {
  hint: 'Use the arrow keys to read the values.',
  noData: 'No data',
  someRows: (shown: number, all: number) => `The first ${shown} of ${all} rows are shown.`,
  someSeries: (shown: number, all: number) => `The first ${shown} of ${all} series are shown.`,
} as const;
