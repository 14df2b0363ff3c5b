/** The page around `<openai-chatkit>`: brand, use-case switcher, colour scheme. */
import {loadChatScript} from './chat-script.js';
import {ParlorPage} from './parlor-page.js';
import {loadPlatform} from './platform.js';
import {buildServerFetch} from './server-fetch.js';

const fetch = window.fetch.bind(window);
const tokenFetch = buildServerFetch(fetch);
const page = new ParlorPage(window, {
  fetch: tokenFetch,
  loadPlatform: () => loadPlatform(tokenFetch ?? fetch),
  loadChatScript: url => loadChatScript(document, url),
});
void page.start();
