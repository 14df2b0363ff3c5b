/** The texts of widgets that do not come from the server. */
import {widgetStrings} from '../strings.js';

export interface Messages {
  readonly showMore: (count: number) => string;
  readonly showLess: string;
  readonly patternMismatch: string;
  readonly valueMissing: string;
  readonly chart: (series: string) => string;
}

export const ENGLISH: Messages = widgetStrings;
