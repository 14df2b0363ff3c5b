// @vitest-environment node
import {readdirSync, readFileSync} from 'node:fs';
import {expect, it} from 'vitest';
import {exportedParts} from '../views/exported-parts.js';
import {buildColors, buildMetrics} from './tokens.js';

/** What each part is: public API. */
const PARTS = {
  attachment: 'A file of a message, or of the draft',
  bubble: 'The text of a message by the person',
  citation: 'A marker in an answer that names a source',
  closed: 'The words in place of the composer when a thread is closed',
  composer: 'The box to write in, with its buttons',
  'drop-target': 'What covers the chat while a file is dragged over it',
  entity: 'A mention, or a source that the page knows',
  'entity-preview': 'The card that a mention shows',
  'generated-image': 'A picture that was made for the person',
  greeting: 'The headline of the start screen',
  header: 'The bar at the top',
  history: 'The panel with earlier chats',
  input: 'The text field of the composer',
  'message-assistant': 'A text by the assistant',
  'message-user': 'A message by the person, with quote and files',
  notice: 'A notice or an error with a button to dismiss it',
  prompt: 'A suggestion on the start screen',
  quote: 'What the draft replies to',
  root: 'Everything',
  'send-button': 'The button that sends',
  sources: 'What an answer rests on',
  'start-screen': 'What a chat without messages shows',
  'stop-button': 'The button that stops an answer',
  'structured-input': 'Questions in place of the composer',
  suggestions: 'The list under `@` and `/`',
  title: 'The title in the header',
  tool: 'A chosen or pinned tool in the composer',
  transcript: 'The scrolling list of messages',
  widget: 'A widget, as a whole',
};

const SOURCES = new URL('..', import.meta.url);
const sources = readdirSync(SOURCES, {recursive: true, encoding: 'utf8'})
  // The gallery is a page of its own, for developers.
  .filter(name => name.endsWith('.ts') && !name.endsWith('.test.ts') && !name.startsWith('gallery'))
  .map(name => readFileSync(new URL(name, SOURCES), 'utf8'));

function listProperties(): string {
  const [light, dark, metrics] = [buildColors('light'), buildColors('dark'), buildMetrics()];
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const code = (value: string | undefined): string => `\`${value ?? ''}\``;
  const names = [...light.keys()].filter(name => name.startsWith('--'));
  return [
    '### Colours',
    '',
    row(['Property', 'Light', 'Dark']),
    row(['---', '---', '---']),
    ...names.map(name => row([code(name), code(light.get(name)), code(dark.get(name))])),
    '',
    '### Sizes, shapes and fonts',
    '',
    row(['Property', 'Default']),
    row(['---', '---']),
    ...[...metrics].map(([name, value]) => row([code(name), code(value)])),
  ].join('\n');
}

const PAGE = () => `# Theming

<!-- Made by frontend/src/theme/theming-docs.test.ts: change it there, then run \`npx vitest run -u src/theme/theming-docs.test.ts\`. -->

Three layers, from coarse to fine: the option \`theme\`, custom properties on the element, and \`::part\`. Names on this
page stay until the next major version.

## The option \`theme\`

\`\`\`js
chat.setOptions({
  theme: {
    colorScheme: 'dark', // light (default), dark
    radius: 'soft', // pill (default), round, soft, sharp
    density: 'compact', // compact, normal (default), spacious
    typography: {
      baseSize: 15, // 14 to 18 px; everything scales with it
      fontFamily: 'Inter',
      fontFamilyMono: 'JetBrains Mono',
      fontSources: [{family: 'Inter', src: '/fonts/inter.woff2', weight: '400'}],
    },
    color: {
      grayscale: {hue: 220, tint: 6, shade: -1}, // hue 0 to 360, tint 0 to 9, shade -4 to 4
      accent: {primary: '#0a7d5c', level: 1},
      surface: {background: '#ffffff', foreground: '#0d0d0d'},
    },
  },
});
\`\`\`

- \`accent.level\` says how far the accent goes. 0: main buttons; 1: the focus ring as well; 2: a tint of it behind
  messages of the person; 3: those messages in the accent itself. Text on the accent is black or white, whichever reads
  well: it always has a contrast of at least 4.5:1.
- \`grayscale.hue\` is that of \`hsl()\`: 220 with a \`tint\` of 6 goes with the slate of many design systems.
- \`surface.foreground\` is the colour of text. When its contrast is below 4.5:1, the element says so in a \`chatkit.log\`
  event named \`theme.low_contrast\`. Below 2:1 it cannot be meant for text, and becomes the colour of what lies upon
  the page, like the composer; text is then that of the scheme, or black or white where that could not be read.
- \`fontSources\` are made known to the document, each once, fetched when text needs them, and taken back when no chat on
  the page names them any more. A font that cannot be read is a \`chatkit.log\` event named \`theme.font_failed\`. The page's content security policy has to allow their origin.
- A value that is none of these is as if it were not there.

The rules of the page end at the element: neither its selectors nor what it hands down (fonts, colours, spacing of
letters) reach in, and ours do not reach out. The element fills the box the page gives it.

## Custom properties

Set them on the element; they win over the option.

\`\`\`css
openai-chatkit {
  --chatkit-accent: #0a7d5c;
  --chatkit-on-accent: #ffffff;
}
\`\`\`

${listProperties()}

## Parts

\`\`\`css
openai-chatkit::part(send-button) {
  border-radius: 4px;
}
\`\`\`

| Part | What it is |
| --- | --- |
${Object.entries(PARTS)
  .map(([name, what]) => `| \`${name}\` | ${what} |`)
  .join('\n')}
`;

it('the page about theming lists every property and part as they are', async () => {
  await expect(PAGE()).toMatchFileSnapshot('../../../docs/theming.md');
});

it('every part that is named for pages is there, and every part that is there is named', () => {
  const used = new Set(
    sources.flatMap(source => [...source.matchAll(/\spart="([a-z -]+)"/g)].flatMap(([, names]) => names?.split(' '))),
  );
  used.delete('icon');
  expect([...used].sort()).toEqual(Object.keys(PARTS).sort());
  expect(exportedParts.split(',').sort()).toEqual(Object.keys(PARTS).sort());
});

it('every view between the page and a part hands the parts on', () => {
  const hosts = sources.flatMap(source => [...source.matchAll(/^[^*/\n]*<(parlor-[a-z-]+)([^>\n]*)/gm)]);
  const silent = hosts.filter(
    ([, tag, rest]) => !/menu-button|markdown|widget-popover/.test(tag ?? '') && !rest?.includes('exportparts'),
  );
  expect(silent.map(([, tag]) => tag)).toEqual([]);
});

it('every property that depends on an option is used somewhere', () => {
  const sheets = sources.join('\n');
  for (const name of ['--chatkit-font', '--chatkit-font-mono', '--chatkit-base-size', '--chatkit-space']) {
    expect(sheets).toContain(`var(${name})`);
  }
});
