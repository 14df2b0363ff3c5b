/** The lazy part with `<parlor-drop-zone>`. */
export {DropZone as element} from '../views/composer-drop.js';
