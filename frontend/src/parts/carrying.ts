/** The lazy part that carries what a person has done in a widget over to a new tree. */
export {carry} from '../widgets/carrying.js';
