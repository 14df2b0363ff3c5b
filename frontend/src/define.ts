/** The entry point of `chatkit.js`: registers the custom elements of the core, once per page. */
import {OpenAIChatKitElement} from './element.js';
import {shareWithParts} from './shared-with-parts.js';
import {handOnPageStyles} from './theme/page-style.js';
import {ComposerView} from './views/composer.js';
import {ComposerField} from './views/composer-field.js';
import {MenuButton} from './views/composer-menu.js';
import {EntityTag} from './views/entity-tag.js';
import {HeaderView} from './views/header.js';
import {MarkdownView} from './views/markdown-view.js';
import {MessageView} from './views/message.js';
import {MessagesView} from './views/messages.js';
import {NoticesView} from './views/notices.js';
import {StartScreen} from './views/start-screen.js';
import {TurnActions} from './views/turn-actions.js';
import {WidgetView} from './widgets/widget-view.js';

/** `<openai-chatkit>` under a name of its own, for pages that have both this one and OpenAI's. */
class ParlorChat extends OpenAIChatKitElement {}

// The public tags come last: whoever waits for one finds everything inside it defined.
const elements: readonly (readonly [tag: string, element: CustomElementConstructor])[] = [
  ['parlor-composer', ComposerView],
  ['parlor-composer-field', ComposerField],
  ['parlor-entity-tag', EntityTag],
  ['parlor-header', HeaderView],
  ['parlor-markdown', MarkdownView],
  ['parlor-message', MessageView],
  ['parlor-menu-button', MenuButton],
  ['parlor-messages', MessagesView],
  ['parlor-notices', NoticesView],
  ['parlor-start-screen', StartScreen],
  ['parlor-turn-actions', TurnActions],
  ['parlor-widget', WidgetView],
  ['parlor-chat', ParlorChat],
  ['openai-chatkit', OpenAIChatKitElement],
];

// A second script of ours must not mix its parts with those of the first. Nothing is fetched here: pages wait a few
// seconds only for the tag.
if (!customElements.get('parlor-chat')) {
  shareWithParts();
  handOnPageStyles();
  for (const [tag, element] of elements) {
    if (!customElements.get(tag)) customElements.define(tag, element);
  }
}
