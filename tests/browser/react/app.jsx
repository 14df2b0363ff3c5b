/** A page as an integrator writes one with the public package; what happens is recorded in `window.seen`. */
import {ChatKit, useChatKit} from '@openai/chatkit-react';
import {useState} from 'react';
import {note} from './notes.js';

export function App() {
  const [isDark, setDark] = useState(false);
  const [isShown, setShown] = useState(true);
  return isShown ? <Panel isDark={isDark} setDark={setDark} setShown={setShown} /> : <p>closed</p>;
}

function Panel({isDark, setDark, setShown}) {
  const chat = useChatKit({
    api: {url: '/chatkit', domainKey: 'local', fetch: (url, init) => fetch(url, init)},
    theme: isDark ? 'dark' : 'light',
    startScreen: {greeting: 'Hello from React', prompts: [{label: 'Say hello', prompt: 'hello'}]},
    onClientTool: async ({name, params}) => {
      note('tool', {name, params});
      return {now: 'teatime'};
    },
    widgets: {onAction: async action => note('action', action.type)},
    onReady: () => note('ready'),
    onError: ({error}) => note('error', error.message),
    onResponseStart: () => note('response.start'),
    onResponseEnd: () => note('response.end'),
    onThreadChange: ({threadId}) => note('thread.change', threadId === null ? null : 'an id'),
    onEffect: ({name}) => note('effect', name),
  });
  if (typeof window !== 'undefined') Object.assign(window, {chat, setDark, setShown});
  return (
    <section className="frame">
      <ChatKit control={chat.control} className="chosen" id="chat" data-mine="yes" />
    </section>
  );
}
