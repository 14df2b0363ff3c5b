// @vitest-environment node
/** Who may import whom, read from the sources, imports of types included: the rooms of the client as data. */
import {readdirSync, readFileSync} from 'node:fs';
import {dirname, join, normalize} from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseAst} from 'vite';
import {describe, expect, it} from 'vitest';

/** Other rooms that a room imports, and packages of npm. A room is a folder, or a file beside the folders. */
interface Row {
  readonly rooms: readonly string[];
  readonly packages: readonly string[];
}

/** From the ground up: a row names rooms above it only. What it names is needed, or it would have to go. */
const TABLE: Readonly<Record<string, Row>> = {
  'event-queue': {rooms: [], packages: []},
  frames: {rooms: [], packages: []},
  'lazy-parts': {rooms: [], packages: []},
  links: {rooms: [], packages: []},
  protocol: {rooms: [], packages: []},
  strings: {rooms: [], packages: []},
  'to-error': {rooms: [], packages: []},
  unreachable: {rooms: [], packages: []},
  'extension-options': {rooms: ['lazy-parts'], packages: []},
  'lazy-elements': {rooms: ['lazy-parts'], packages: []},
  icons: {rooms: ['lazy-parts'], packages: ['lit']},
  markdown: {
    rooms: ['frames', 'lazy-parts', 'links', 'strings'],
    packages: ['dompurify', 'highlight.js', 'katex', 'markdown-it'],
  },
  theme: {rooms: ['protocol'], packages: ['@openai/chatkit', 'lit']},
  server: {rooms: ['lazy-parts', 'protocol', 'strings'], packages: []},
  thread: {rooms: ['protocol', 'server', 'strings', 'to-error', 'unreachable'], packages: []},
  composer: {rooms: ['protocol', 'server', 'strings', 'to-error', 'unreachable'], packages: []},
  widgets: {
    rooms: ['icons', 'lazy-parts', 'protocol', 'strings', 'theme'],
    packages: ['d3-shape', 'lit'],
  },
  intents: {rooms: ['composer', 'protocol', 'widgets'], packages: []},
  options: {
    rooms: ['composer', 'extension-options', 'protocol', 'server', 'strings', 'thread'],
    packages: ['@openai/chatkit'],
  },
  chat: {
    rooms: ['composer', 'intents', 'options', 'protocol', 'server', 'strings', 'thread', 'to-error', 'unreachable'],
    packages: ['@openai/chatkit'],
  },
  views: {
    rooms: [
      ...['composer', 'frames', 'icons', 'intents', 'lazy-elements', 'lazy-parts', 'links', 'markdown', 'options'],
      ...['protocol', 'strings', 'thread', 'to-error', 'unreachable', 'widgets'],
    ],
    packages: ['@openai/chatkit', 'lit'],
  },
  'chat-view': {rooms: ['chat', 'lazy-elements', 'views'], packages: ['lit']},
  element: {
    rooms: [
      ...['chat', 'chat-view', 'composer', 'event-queue', 'frames', 'intents', 'lazy-elements', 'markdown', 'options'],
      ...['protocol', 'strings', 'theme', 'views'],
    ],
    packages: ['@openai/chatkit', 'lit'],
  },
  gallery: {rooms: ['theme'], packages: ['lit']},
  parts: {rooms: ['gallery', 'icons', 'markdown', 'server', 'views', 'widgets'], packages: ['highlight.js', 'katex']},
  'shared-with-parts': {
    rooms: ['icons', 'intents', 'links', 'protocol', 'strings', 'views', 'widgets'],
    packages: ['lit'],
  },
  define: {rooms: ['element', 'shared-with-parts', 'theme', 'views', 'widgets'], packages: []},
  page: {rooms: ['icons', 'protocol', 'strings', 'theme'], packages: ['@openai/chatkit', 'lit']},
};

/** Files that hold data and rules; whoever asks the server lies beside them, and is for `chat.ts` alone. */
const FOR_VIEWS: ReadonlySet<string> = new Set([
  ...['composer/composer-options.ts', 'composer/draft-text.ts', 'composer/file-details.ts'],
  ...['composer/upload-rules.ts', 'composer/uploads.ts'],
  ...['thread/thread-list.ts', 'thread/thread-state.ts'],
]);

const SRC = fileURLToPath(new URL('.', import.meta.url));

/** What the product is made of: neither tests nor what tests stand on. */
const files = readdirSync(SRC, {recursive: true, encoding: 'utf8'})
  .filter(name => name.endsWith('.ts') && !name.endsWith('.test.ts') && !name.startsWith('testing/'))
  .sort();

/** Stands for what is imported by a name that the import does not say itself. */
const UNKNOWN = '?';

/** Specifiers of imports, re-exports, dynamic imports and `import('…')` types. */
function importsOf(code: string): readonly string[] {
  const found = new Set<string>();
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) node.forEach(visit);
    else if (typeof node === 'object' && node !== null) {
      const {type, source} = node as {type?: unknown; source?: {value?: unknown} | null};
      if (/Import|Export/.test(String(type)) && source)
        found.add(typeof source.value === 'string' ? source.value : UNKNOWN);
      Object.values(node).forEach(visit);
    }
  };
  visit(parseAst(code, {lang: 'ts'}));
  return [...found];
}

const imports = new Map(files.map(file => [file, importsOf(readFileSync(join(SRC, file), 'utf8'))] as const));
/** What each file imports of ours, as paths below `src`. */
const graph = new Map(
  [...imports].map(([file, names]) => [
    file,
    names
      .filter(name => name.startsWith('.'))
      .map(name => normalize(join(dirname(file), name)).replace(/\.js$/, '.ts')),
  ]),
);

function roomOf(file: string): string {
  return file.includes('/') ? dirname(file) : file.replace(/\.ts$/, '');
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** As the table would have it. */
function readRow(room: string): Row {
  const mine = files.filter(file => roomOf(file) === room);
  const rooms = mine.flatMap(file => graph.get(file) ?? []).map(roomOf);
  const packages = mine
    .flatMap(file => imports.get(file) ?? [])
    .filter(name => !name.startsWith('.') && name !== UNKNOWN);
  return {
    rooms: [...new Set(rooms.filter(other => other !== room))].sort(),
    packages: [...new Set(packages.map(packageOf))].sort(),
  };
}

/** Nodes that lead back to the first of them, which stands at the end again; `undefined` when there is no way back. */
function findCycle(edges: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const done = new Set<string>();
  const walk = (node: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node];
    if (done.has(node)) return undefined;
    for (const next of edges.get(node) ?? []) {
      const cycle = walk(next, [...path, node]);
      if (cycle) return cycle;
    }
    done.add(node);
    return undefined;
  };
  for (const node of edges.keys()) {
    const cycle = walk(node, []);
    if (cycle) return cycle;
  }
  return undefined;
}

describe('the sources', () => {
  it('are read with imports of types, re-exports and dynamic imports', () => {
    const code = `import type {A} from './a.js'; export type {B} from './b.js'; export * from './c.js';
      import './d.js'; type E = import('./e.js').E; const f = import('./f.js');`;
    expect(importsOf(code)).toEqual(['./a.js', './b.js', './c.js', './d.js', './e.js', './f.js']);
  });

  it('say themselves what they import, but for the addresses of lazy parts', () => {
    expect(importsOf('const a = import(`./a.js`); const b = import(b);')).toEqual([UNKNOWN]);
    expect([...imports].filter(([, names]) => names.includes(UNKNOWN)).map(([file]) => file)).toEqual([
      'lazy-parts.ts',
    ]);
    const others = /import\.meta\.glob|\brequire\(|<reference /;
    expect(files.filter(file => others.test(readFileSync(join(SRC, file), 'utf8')))).toEqual([]);
    expect(
      readdirSync(SRC, {recursive: true, encoding: 'utf8'}).filter(name => /\.[cm]?jsx?$|\.[cm]ts$|\.tsx$/.test(name)),
    ).toEqual([]);
  });

  it('import nothing but files that exist and are part of the product', () => {
    const targets = new Set([...graph.values()].flat());
    expect([...targets].filter(target => !graph.has(target))).toEqual([]);
  });

  it('have no cycle of files', () => {
    const ring = {a: ['b'], b: ['c'], c: ['b']};
    expect(findCycle(new Map(Object.entries(ring)))).toEqual(['b', 'c', 'b']);
    expect(findCycle(graph)).toBeUndefined();
  });
});

describe('the table of rooms', () => {
  it('names every room', () => {
    expect(Object.keys(TABLE).sort()).toEqual([...new Set(files.map(roomOf))].sort());
  });

  it.each(Object.entries(TABLE))('says what %s imports, no more and no less', (room, {rooms, packages}) => {
    expect(readRow(room)).toEqual({rooms: [...rooms].sort(), packages: [...packages].sort()});
  });

  it('stands in the README, the ground last', () => {
    const readme = readFileSync(join(SRC, '../README.md'), 'utf8');
    const rows = [...readme.matchAll(/^\| `([\w-]+)` \| [^|]+ \| ?((?:`[\w-]+` ?)*)\|$/gm)];
    const shown = rows.map(([, room = '', rooms = '']) => [room, rooms.match(/[\w-]+/g) ?? []] as const);
    expect(Object.fromEntries(shown)).toEqual(
      Object.fromEntries(Object.entries(TABLE).map(([room, {rooms}]) => [room, [...rooms].sort()])),
    );
    const order = shown.map(([room]) => room);
    for (const [room, rooms] of shown) {
      expect(rooms.filter(other => order.indexOf(other) <= order.indexOf(room))).toEqual([]);
    }
  });

  it('has floors: each room imports only from below', () => {
    const order = Object.keys(TABLE);
    for (const [room, {rooms}] of Object.entries(TABLE)) {
      expect(rooms.filter(other => order.indexOf(other) >= order.indexOf(room))).toEqual([]);
    }
  });
});

it('views know state and rules, not those who ask the server', () => {
  const taken = files.filter(file => roomOf(file) === 'views').flatMap(file => graph.get(file) ?? []);
  const outside = taken.filter(file => ['thread', 'composer'].includes(roomOf(file)));
  expect(new Set(outside)).toEqual(FOR_VIEWS);
});

/** Openings of doc comments that say nothing by themselves: the reader has to find the name, or the comment before. */
const LEANING = new RegExp(
  '(?:/\\*\\*\\s+(?:\\* )?(?:@\\w+ )?|@param \\w+ |@returns )(?:What|Of|That of|Those|The same|Its?|Whose|Whom|Where|As|By|' +
    'With|They|So (?:much|many)|Whether (?:it|they)|How \\w+ (?:it|they|one))\\b[^\\n]*',
  'g',
);

it('has doc comments that can be read alone', () => {
  expect(
    '/** Of a file. */ /** A file. */ * @param url Of it. */ /** @param url The URL. */'
      .split('*/')
      .map(each => each.match(LEANING)?.length),
  ).toEqual([1, undefined, 1, undefined, undefined]);
  const found = files.flatMap(file =>
    [...readFileSync(join(SRC, file), 'utf8').matchAll(LEANING)].map(([text]) => `${file}: ${text}`),
  );
  expect(found).toEqual([]);
});
