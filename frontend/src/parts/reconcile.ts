/** The lazy part for widgets in use: moves the user's changes to a new tree, and matches field patterns. */

export {mayMatch} from '../widgets/patterns.js';
export {reconcile} from '../widgets/reconcile.js';
