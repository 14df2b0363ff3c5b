/** A page with a chat beside its own work, of the shape that most public ones have: every kind of option, one store. */
import {ChatKit, useChatKit} from '@openai/chatkit-react';
import {useCallback, useMemo, useRef, useState} from 'react';
import {note} from './notes.js';

const PROMPTS = [
  {label: 'Say hello', prompt: 'hello', icon: 'lucide:hand'},
  {label: 'Show the card', prompt: 'card', icon: 'profile-card'},
];

export function Workspace() {
  const [scheme, setScheme] = useState('light');
  const [threadId, setThreadId] = useState(null);
  const [isStarting, setStarting] = useState(true);
  const [generation, setGeneration] = useState(0);
  const [facts, setFacts] = useState([]);
  const kit = useRef(null);

  const getClientSecret = useCallback(async current => {
    note('secret', current);
    if (!current) setStarting(true);
    try {
      const response = await fetch('/api/create-session', {method: 'POST'});
      return (await response.json()).client_secret;
    } finally {
      if (!current) setStarting(false);
    }
  }, []);
  const fetchWithPage = useMemo(
    () => async (input, init) => {
      const headers = new Headers(init?.headers ?? {});
      headers.set('x-page', 'desk');
      return fetch(input, {...init, headers});
    },
    [],
  );
  const onAction = useCallback(async (action, item) => {
    await kit.current.sendCustomAction({type: 'say', payload: {word: action.type}}, item.id);
    // What was awaited is over.
    await kit.current.sendUserMessage({text: 'hello again'});
  }, []);

  const chat = useChatKit({
    api: {getClientSecret, fetch: fetchWithPage},
    theme: {
      colorScheme: scheme,
      density: 'spacious',
      radius: 'round',
      color: {
        grayscale: {hue: 220, tint: 6, shade: scheme === 'dark' ? -1 : -4},
        accent: {primary: scheme === 'dark' ? '#f1f5f9' : '#0f172a', level: 1},
        ...(scheme === 'dark' ? {surface: {background: '#0d1117', foreground: '#1d222b'}} : null),
      },
      typography: {fontFamily: 'Georgia, serif', fontSources: undefined},
    },
    header: {
      title: {enabled: true, text: 'Desk'},
      leftAction: {icon: 'menu', onClick: () => note('menu')},
      rightAction: {
        icon: scheme === 'dark' ? 'light-mode' : 'dark-mode',
        onClick: () => setScheme(scheme === 'dark' ? 'light' : 'dark'),
      },
    },
    history: {enabled: true, showDelete: true, showRename: undefined},
    startScreen: {greeting: 'Welcome to the desk', prompts: PROMPTS},
    composer: {
      placeholder: threadId ? 'Go on' : 'Where shall we start?',
      attachments: {enabled: true, maxSize: 5 * 1024 * 1024, accept: {'image/*': ['.png', '.jpg']}},
      tools: [
        {id: 'events', label: 'Event finder', shortLabel: 'Events', icon: 'calendar', pinned: true},
        {id: 'puzzle', label: 'Puzzle', icon: 'lucide:puzzle'},
      ],
      models: [{id: 'small', label: 'Small', default: true}, {id: 'large', label: 'Large', description: 'slower'}],
      dictation: {enabled: true},
    },
    entities: {
      onTagSearch: async query => {
        const all = [{id: 'ada', title: 'Ada', group: 'People', icon: 'profile', interactive: true, data: {n: '1'}}];
        return all.filter(each => each.title.toLowerCase().includes(query.trim().toLowerCase()));
      },
      onRequestPreview: async entity => ({
        preview: {type: 'Basic', children: [{type: 'Title', value: `About ${entity.title}`}]},
      }),
      onClick: entity => note('entity', entity.id),
    },
    threadItemActions: {feedback: true, retry: true},
    disclaimer: {text: 'It may be **wrong**.'},
    widgets: {onAction},
    onClientTool: async ({name, params}) => {
      setFacts(known => [...known, `${name} ${params.zone}`]);
      if (name === 'tell_time') setScheme('dark');
      return {now: 'teatime'};
    },
    onReady: () => note('ready'),
    onThreadChange: ({threadId}) => setThreadId(threadId),
    onResponseEnd: () => note('end'),
    onError: ({error}) => note('error', error.message),
    onEffect: ({name, data}) => note('effect', [name, data]),
  });
  kit.current = chat;
  Object.assign(window, {kit: chat, reset: () => setGeneration(value => value + 1)});

  return (
    <main className={`desk ${scheme}`}>
      <pre id="page">{JSON.stringify({scheme, facts, thread: threadId === null ? null : 'an id'})}</pre>
      <div className="wrapper">
        <ChatKit
          key={generation}
          control={chat.control}
          className={isStarting ? 'unseen' : 'filling'}
          data-parlor-base-url="/hosted"
        />
        {isStarting ? <div className="overlay">Loading the session</div> : null}
      </div>
    </main>
  );
}
