/** The lazy part that lets a Transition change its height before the eye. */
export {resizing} from '../widgets/resizing.js';
