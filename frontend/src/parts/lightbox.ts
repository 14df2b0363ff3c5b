/** The lazy part with `<parlor-lightbox>`. */
export {Lightbox as element} from '../views/lightbox.js';
