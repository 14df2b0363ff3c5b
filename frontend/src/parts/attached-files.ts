/** The lazy part with `<parlor-attached-files>`. */
export {AttachedFiles as element} from '../views/attached-files.js';
