/** The lazy part with `<parlor-uploads>`. */
export {UploadList as element} from '../views/upload-list.js';
