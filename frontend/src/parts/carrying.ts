/** The lazy part for widgets that somebody works in: patterns of fields, and what outlives a new tree. */
export {carry} from '../widgets/carrying.js';
export {mayMatch} from '../widgets/patterns.js';
