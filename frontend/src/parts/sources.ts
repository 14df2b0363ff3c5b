/** The lazy part with `<parlor-sources>`. */
export {SourcesView as element} from '../views/sources.js';
