/** The script of the page `/dev/widgets`; chats never fetch it. */
import {WidgetGallery} from '../gallery/widget-gallery.js';

if (!customElements.get('parlor-widget-gallery')) customElements.define('parlor-widget-gallery', WidgetGallery);

export {WidgetGallery as element};
