/** The texts of charts, part of their lazy part instead of the core. */
export const chartStrings = {
  hint: 'Use the arrow keys to read the values.',
  noData: 'No data',
  someRows: (shown: number, all: number) => `The first ${shown} of ${all} rows are shown.`,
  someSeries: (shown: number, all: number) => `The first ${shown} of ${all} series are shown.`,
} as const;
