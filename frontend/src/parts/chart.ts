/** The lazy part that draws charts in widgets. */
export {renderChart} from '../widgets/chart.js';
export {chartStyles} from '../widgets/chart-style.js';
