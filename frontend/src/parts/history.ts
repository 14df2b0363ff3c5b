/** The lazy part with `<parlor-history>`. */
export {HistoryView as element} from '../views/history.js';
