/** The lazy part with `<parlor-workflow>`. */
export {WorkflowView as element} from '../views/workflow.js';
