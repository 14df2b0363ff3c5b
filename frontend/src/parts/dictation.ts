/** The lazy part with `<parlor-dictation>`. */
export {DictationView as element} from '../views/dictation.js';
