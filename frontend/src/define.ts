/** The only call of `customElements.define`: names for our classes, once per page. */
import {OpenAIChatKitElement} from './element.js';
import {ComposerView} from './views/composer.js';
import {DropZone} from './views/composer-drop.js';
import {ComposerField} from './views/composer-field.js';
import {MenuButton} from './views/composer-menu.js';
import {DictationView} from './views/dictation.js';
import {EntityTag} from './views/entity-tag.js';
import {GeneratedImageView} from './views/generated-image.js';
import {HeaderView} from './views/header.js';
import {HistoryView} from './views/history.js';
import {MarkdownView} from './views/markdown-view.js';
import {MessageView} from './views/message.js';
import {MessagesView} from './views/messages.js';
import {NoticesView} from './views/notices.js';
import {SourcesView} from './views/sources.js';
import {StartScreen} from './views/start-screen.js';
import {StructuredInputView} from './views/structured-input.js';
import {TurnActions} from './views/turn-actions.js';
import {WorkflowView} from './views/workflow.js';
import {WidgetView} from './widgets/widget-view.js';

// The public tag comes last: whoever waits for it finds everything inside it defined.
const elements: readonly (readonly [tag: string, element: CustomElementConstructor])[] = [
  ['parlor-composer', ComposerView],
  ['parlor-composer-field', ComposerField],
  ['parlor-dictation', DictationView],
  ['parlor-drop-zone', DropZone],
  ['parlor-entity-tag', EntityTag],
  ['parlor-generated-image', GeneratedImageView],
  ['parlor-header', HeaderView],
  ['parlor-history', HistoryView],
  ['parlor-markdown', MarkdownView],
  ['parlor-message', MessageView],
  ['parlor-menu-button', MenuButton],
  ['parlor-messages', MessagesView],
  ['parlor-notices', NoticesView],
  ['parlor-sources', SourcesView],
  ['parlor-start-screen', StartScreen],
  ['parlor-structured-input', StructuredInputView],
  ['parlor-turn-actions', TurnActions],
  ['parlor-widget', WidgetView],
  ['parlor-workflow', WorkflowView],
  ['openai-chatkit', OpenAIChatKitElement],
];

// A second script on the page must not mix its parts with those of the first.
if (!customElements.get('openai-chatkit')) {
  for (const [tag, element] of elements) {
    if (!customElements.get(tag)) customElements.define(tag, element);
  }
}
