/** The lazy part that uploads files with progress. */
export {canMeasure, sendMeasured} from '../server/measured-upload.js';
