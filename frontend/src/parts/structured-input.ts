/** The lazy part with `<parlor-structured-input>`. */
export {StructuredInputView as element} from '../views/structured-input.js';
