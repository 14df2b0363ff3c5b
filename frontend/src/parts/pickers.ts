/** The lazy part with the faces of Select and DatePicker. */
export {renderDateFace} from '../widgets/date-face.js';
export {pickerStyles} from '../widgets/picker-style.js';
export {renderSelectFace} from '../widgets/select-face.js';
export {WidgetPopover} from '../widgets/widget-popover.js';
