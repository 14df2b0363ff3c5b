/** The page around `<openai-chatkit>`: brand, use-case switcher, colour scheme. */
import {loadChatScript} from './chat-script.js';
import {ParlorPage} from './parlor-page.js';
import {loadPlatform} from './platform.js';

const page = new ParlorPage(window, {
  loadPlatform: () => loadPlatform(window.fetch.bind(window)),
  loadChatScript: url => loadChatScript(document, url),
});
void page.start();
