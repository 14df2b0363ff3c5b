/** The entry point of `chatkit.js`: registers the custom elements of the core, once per page. */
import {OpenAIChatKitElement} from './element.js';
import {shareWithParts} from './shared-with-parts.js';
import {inheritPageStyles} from './theme/page-style.js';
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

/** `<openai-chatkit>` under another name, for pages that also use OpenAI's element. */
class ParlorChat extends OpenAIChatKitElement {}

// The public tags come last, so that everything inside them is defined before.
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

// A second copy of the script must not mix its lazy parts with those of the first. Nothing is fetched before the
// elements are defined: pages wait only a few seconds for the tag.
if (!customElements.get('parlor-chat')) {
  shareWithParts();
  inheritPageStyles();
  for (const [tag, element] of elements) {
    if (!customElements.get(tag)) customElements.define(tag, element);
  }
}
