/** The lazy part with `<parlor-generated-image>`. */
export {GeneratedImageView as element} from '../views/generated-image.js';
