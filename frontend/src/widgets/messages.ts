/** The words that widgets show by themselves. */
import {widgetStrings} from '../strings.js';

export interface Messages {
  readonly showMore: (count: number) => string;
  readonly showLess: string;
  readonly patternMismatch: string;
  readonly valueMissing: string;
  readonly chart: (series: string) => string;
  readonly chartHint: string;
  readonly clear: string;
  readonly search: string;
  readonly noOptions: string;
  readonly openCalendar: string;
  readonly previousMonth: string;
  readonly nextMonth: string;
  readonly dateUnreadable: (hint: string) => string;
  readonly dateOutside: (range: string) => string;
}

export const ENGLISH: Messages = widgetStrings;
