/** The texts of lists and calendars, part of their lazy part instead of the core. */
export const pickerStrings = {
  clear: 'Clear',
  search: 'Search',
  noOptions: 'Nothing found',
  openCalendar: 'Choose a date',
  previousMonth: 'Previous month',
  nextMonth: 'Next month',
  dateUnreadable: (hint: string) => `Please enter a date like ${hint}.`,
  dateOutside: (range: string) => `Please enter a date in ${range}.`,
} as const;
