/** The script of the page `/dev/widgets`, which no chat fetches. */
import {WidgetGallery} from '../gallery/widget-gallery.js';

if (!customElements.get('parlor-widget-gallery')) customElements.define('parlor-widget-gallery', WidgetGallery);

export {WidgetGallery as element};
