/** The lazy part that sends files and tells how much of them is on its way. */
export {canMeasure, sendMeasured} from '../server/measured-upload.js';
