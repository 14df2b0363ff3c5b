import '../testing/happy-dom.js';
import {afterEach, beforeAll, describe, expect, it, vi} from 'vitest';
import '../define.js';
import {readComposerSettings} from '../composer/composer-options.js';
import type {Upload} from '../composer/uploads.js';
import type {Intent, IntentEvent} from '../intents.js';
import {lazyElements} from '../lazy-elements.js';
import type {UserContent} from '../protocol/types.js';
import type {ComposerView} from './composer.js';
import type {ComposerField} from './composer-field.js';
import type {UploadList} from './upload-list.js';

beforeAll(() => lazyElements.load('parlor-uploads'));
afterEach(() => document.body.replaceChildren());

const ADA: UserContent = {type: 'input_tag', id: 'p1', text: 'Ada', data: {}, interactive: true};
const text = (value: string): UserContent => ({type: 'input_text', text: value});
const TOOLS = [
  {
    id: 'web',
    label: 'Search the web',
    shortLabel: 'Search',
    icon: 'globe' as const,
    placeholderOverride: 'Search for…',
  },
  {id: 'img', label: 'Create an image', icon: 'images' as const, pinned: true},
];
const MODELS = [
  {id: 'a', label: 'Quick', description: 'For every day'},
  {id: 'b', label: 'Giant', disabled: true},
];
const UPLOAD: Upload = {
  key: 'u',
  name: 'a.txt',
  mimeType: 'text/plain',
  size: 1536,
  status: 'done',
  progress: undefined,
  previewUrl: undefined,
  attachment: {type: 'file', id: 'f', name: 'a.txt', mimeType: 'text/plain', previewUrl: undefined},
  problem: undefined,
};

/** A composer on a page, as the element would have it with `options`. */
async function mount(options: Record<string, unknown> = {}, properties: Partial<ComposerView> = {}) {
  const settings = readComposerSettings({api: {uploadStrategy: {type: 'two_phase'}}, ...options});
  const {attachments, entities, commands, hasDictation} = settings;
  const composer = document.createElement('parlor-composer') as ComposerView;
  Object.assign(composer, {attachments, entities, commands, hasDictation, ...properties});
  const intents: Intent[] = [];
  composer.addEventListener('parlor-intent', event => intents.push((event as IntentEvent).intent));
  document.body.append(composer);
  await waitForRender(composer);
  return {composer, intents, sent: () => intents.filter(({type}) => type === 'send')};
}

const fieldOf = (composer: ComposerView) => part<ComposerField>(composer, 'parlor-composer-field');
const boxOf = (composer: ComposerView) => part<HTMLTextAreaElement>(fieldOf(composer), 'textarea');
const listOf = (composer: ComposerView) => fieldOf(composer).renderRoot.querySelector('#suggestions');
const buttonOf = (composer: ComposerView, name: string) =>
  part<HTMLButtonElement>(composer, `button[aria-label="${name}"]`);

function part<T extends Element>(of: {readonly shadowRoot: ShadowRoot | null}, selector: string): T {
  const found = of.shadowRoot?.querySelector<T>(selector);
  if (!found) throw new Error(`no ${selector}`);
  return found;
}

async function waitForRender(composer: ComposerView): Promise<void> {
  await composer.updateComplete;
  await composer.shadowRoot?.querySelector<ComposerField>('parlor-composer-field')?.updateComplete;
}

async function type(composer: ComposerView, value: string, caret = value.length): Promise<void> {
  const box = boxOf(composer);
  box.focus();
  box.value = value;
  box.setSelectionRange(caret, caret);
  box.dispatchEvent(new Event('input', {bubbles: true}));
  await waitForRender(composer);
}

async function press(composer: ComposerView, key: string, more: KeyboardEventInit = {}): Promise<KeyboardEvent> {
  const event = new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true, ...more});
  boxOf(composer).dispatchEvent(event);
  await waitForRender(composer);
  return event;
}

describe('Enter', () => {
  it.each([{isComposing: true}, {keyCode: 229}, {shiftKey: true}])('does not send with %j', async more => {
    const {composer, sent} = await mount();
    await type(composer, '日本');
    const event = await press(composer, 'Enter', more);
    expect(sent()).toEqual([]);
    expect(event.defaultPrevented).toBe(false);
  });

  it('sends, empties the field, and keeps the focus there', async () => {
    const {composer, sent} = await mount();
    await type(composer, ' Hello ');
    await press(composer, 'Enter');
    expect(sent()).toEqual([{type: 'send', content: [text('Hello')], attachments: [], quotedText: undefined}]);
    expect(boxOf(composer).value).toBe('');
    expect(fieldOf(composer).shadowRoot?.activeElement).toBe(boxOf(composer));
  });

  it.each<Partial<ComposerView>>([{isResponding: true}, {isBlocked: true}])(
    'keeps the draft while %j',
    async properties => {
      const {composer, sent} = await mount({}, properties);
      await type(composer, 'Hello');
      await press(composer, 'Enter');
      expect(sent()).toEqual([]);
      expect(boxOf(composer).value).toBe('Hello');
    },
  );
});

describe('files', () => {
  const on = {composer: {attachments: {enabled: true, accept: {'image/*': ['.png']}}}};

  it('hold the message back until all have arrived', async () => {
    const {composer, sent} = await mount(on, {uploads: [UPLOAD, {...UPLOAD, key: 'v', status: 'uploading'}]});
    await type(composer, 'Look');
    expect(buttonOf(composer, 'Send message').disabled).toBe(true);
    composer.uploads = [UPLOAD];
    await waitForRender(composer);
    await press(composer, 'Enter');
    expect(sent()).toMatchObject([{content: [text('Look')], attachments: [{id: 'f'}]}]);
  });

  it('are a message without words', async () => {
    const {composer, sent} = await mount(on, {uploads: [UPLOAD]});
    await press(composer, 'Enter');
    expect(sent()).toMatchObject([{content: [], attachments: [{id: 'f'}]}]);
  });

  it('can be tried again and removed', async () => {
    const {composer, intents} = await mount(on, {uploads: [{...UPLOAD, status: 'failed', problem: 'No.'}]});
    const list = part<UploadList>(composer, 'parlor-uploads');
    await list.updateComplete;
    part<HTMLButtonElement>(list, 'button[aria-label="Upload a.txt again"]').click();
    part<HTMLButtonElement>(list, 'button[aria-label="Remove a.txt"]').click();
    expect(intents).toEqual([
      {type: 'retry-upload', key: 'u'},
      {type: 'remove-upload', key: 'u'},
      {type: 'focus-composer'},
    ]);
  });

  it('are chips with their names when what is called a picture is none', async () => {
    const url = URL.createObjectURL(new Blob(['words'], {type: 'image/png'}));
    const {composer} = await mount(on, {uploads: [{...UPLOAD, name: 'a.png', status: 'failed', previewUrl: url}]});
    const list = part<UploadList>(composer, 'parlor-uploads');
    await vi.waitFor(() => expect(list.renderRoot.querySelector('.attachment.file .name')?.textContent).toBe('a.png'));
    expect(list.renderRoot.querySelector('img')).toBeNull();
  });

  it('come from a dialog that Tab never reaches, with the accepted types', async () => {
    const {composer} = await mount(on);
    const input = part<HTMLInputElement>(composer, 'input[type=file]');
    const opened = vi.spyOn(input, 'click').mockImplementation(() => {});
    buttonOf(composer, 'Add photos and files').click();
    expect(opened).toHaveBeenCalledTimes(1);
    expect(input).toMatchObject({hidden: true, tabIndex: -1, accept: 'image/*,.png', multiple: true});
  });

  const paste = (composer: ComposerView, words: string) => {
    const image = new File(['x'], 'shot.png', {type: 'image/png'});
    const event = new Event('paste', {bubbles: true, cancelable: true});
    const clipboardData = {files: [image], getData: (kind: string) => (kind === 'text/plain' ? words : '')};
    boxOf(composer).dispatchEvent(Object.assign(event, {clipboardData}));
    return image;
  };

  it('are taken from the clipboard, but not the picture that office programs add to a text', async () => {
    const {composer, intents} = await mount(on);
    paste(composer, 'a table');
    const image = paste(composer, '');
    expect(intents).toEqual([{type: 'add-files', files: [image]}]);
  });

  it('have no button where they are off; what is pasted all the same is refused by whoever takes files', async () => {
    const {composer, intents} = await mount();
    const image = paste(composer, '');
    expect(intents).toEqual([{type: 'add-files', files: [image]}]);
    expect(composer.shadowRoot?.querySelector('input[type=file], parlor-menu-button, .start button')).toBeNull();
  });
});

describe('tools and models', () => {
  it('are in the menu; pinned and chosen ones are in sight, with their short names', async () => {
    const {composer, intents} = await mount({}, {tools: TOOLS, toolId: 'web'});
    expect(boxOf(composer).placeholder).toBe('Search for…');
    expect(buttonOf(composer, 'Stop using Search the web').textContent).toContain('Search');
    buttonOf(composer, 'Stop using Search the web').click();
    const pinned = buttonOf(composer, 'Create an image');
    expect(pinned.getAttribute('aria-pressed')).toBe('false');
    pinned.click();
    expect(intents).toEqual([
      {type: 'select-tool', toolId: undefined},
      {type: 'select-tool', toolId: 'img'},
    ]);
  });

  it('need no menu when every tool is in sight anyway', async () => {
    const {composer} = await mount({}, {tools: TOOLS.slice(1)});
    expect(composer.shadowRoot?.querySelector('parlor-menu-button')).toBeNull();
  });

  it('are chosen with the keyboard; what is disabled is read but not chosen', async () => {
    const {composer, intents} = await mount({}, {models: MODELS, modelId: 'a'});
    const menu = part<HTMLElement & {updateComplete: Promise<unknown>; shadowRoot: ShadowRoot}>(
      composer,
      'parlor-menu-button',
    );
    const opener = part<HTMLButtonElement>(menu, '.opener');
    expect(opener.getAttribute('aria-label')).toBe('Model: Quick');
    opener.click();
    await menu.updateComplete;
    const [quick, giant] = [...menu.shadowRoot.querySelectorAll<HTMLElement>('[role=menuitemradio]')];
    expect(menu.shadowRoot.activeElement).toBe(quick);
    expect(quick?.textContent).toMatch(/Quick\s*For every day/);
    quick?.dispatchEvent(new KeyboardEvent('keydown', {key: 'g', bubbles: true}));
    expect(menu.shadowRoot.activeElement).toBe(giant);
    expect(giant?.getAttribute('aria-disabled')).toBe('true');
    giant?.click();
    expect(intents).toEqual([]);
    giant?.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape', bubbles: true}));
    await menu.updateComplete;
    expect(menu.shadowRoot.querySelector('[role=menu]')).toBeNull();
    expect(menu.shadowRoot.activeElement).toBe(opener);
  });
});

describe('mentions', () => {
  const people = [
    {id: 'p1', title: 'Ada', group: 'People'},
    {id: 'p2', title: 'Alan', group: 'People'},
    {id: 'd1', title: 'Agenda', group: 'Papers'},
  ];
  const found = (query: string) => people.filter(({title}) => title.toLowerCase().startsWith(query));
  const open = async (onTagSearch: (query: string) => unknown = async query => found(query)) => {
    const mounted = await mount({entities: {onTagSearch, showComposerMenu: true}});
    await type(mounted.composer, 'Ask @a');
    await vi.waitFor(() => expect(listOf(mounted.composer)?.getAttribute('aria-busy')).toBe('false'));
    return mounted;
  };
  const active = (composer: ComposerView) => {
    const id = boxOf(composer).getAttribute('aria-activedescendant');
    return fieldOf(composer)
      .shadowRoot?.getElementById(id ?? '')
      ?.textContent?.trim();
  };

  it('are a list that the field points into, with groups', async () => {
    const {composer} = await open();
    const groups = [...(listOf(composer)?.querySelectorAll('[role=group]') ?? [])];
    const heading = (group: Element) =>
      fieldOf(composer).shadowRoot?.getElementById(group.getAttribute('aria-labelledby') ?? '')?.textContent;
    expect(groups.map(heading)).toEqual(['People', 'Papers']);
    expect(boxOf(composer).getAttribute('aria-controls')).toBe(listOf(composer)?.id);
    expect(active(composer)).toBe('Ada');
    await press(composer, 'ArrowDown');
    expect(active(composer)).toBe('Alan');
    await press(composer, 'ArrowUp');
    await press(composer, 'ArrowUp');
    expect(active(composer)).toBe('Agenda');
  });

  it('become one tag that is sent as such', async () => {
    const {composer, sent} = await open();
    await press(composer, 'Enter');
    await vi.waitFor(() => expect(boxOf(composer).value).toBe('Ask Ada '));
    expect(listOf(composer)).toBeNull();
    expect(sent()).toEqual([]);
    await press(composer, 'Enter');
    const tag = {type: 'input_tag', id: 'p1', text: 'Ada', data: {}, group: 'People'};
    expect(sent()).toMatchObject([{content: [text('Ask '), tag]}]);
  });

  it('leave the keys to an input method that is composing', async () => {
    const {composer} = await open();
    await press(composer, 'ArrowDown', {isComposing: true});
    await press(composer, 'Enter', {keyCode: 229});
    expect(active(composer)).toBe('Ada');
    expect(boxOf(composer).value).toBe('Ask @a');
  });

  it('go with Escape, keep the text, and stay away until the next word', async () => {
    const {composer} = await open();
    const event = await press(composer, 'Escape');
    expect(event.defaultPrevented).toBe(true);
    expect(boxOf(composer).value).toBe('Ask @a');
    await type(composer, 'Ask @ad');
    expect(listOf(composer)).toBeNull();
    await type(composer, 'Ask @ad @');
    expect(listOf(composer)).not.toBeNull();
  });

  it('say when there are none, and Enter then sends', async () => {
    const {composer, sent} = await open(async () => []);
    expect(listOf(composer)?.textContent).toContain('Nothing found');
    expect(listOf(composer)?.hasAttribute('role')).toBe(false);
    await press(composer, 'Enter');
    expect(sent()).toHaveLength(1);
  });

  it('are not sent half-typed while the search runs', async () => {
    const {composer, sent} = await mount({entities: {onTagSearch: () => new Promise(() => {})}});
    await type(composer, '@a');
    await press(composer, 'Enter');
    expect(sent()).toEqual([]);
  });

  it('have a button that types the sign', async () => {
    const {composer} = await mount({entities: {onTagSearch: async () => [], showComposerMenu: true}});
    await type(composer, 'Ask');
    buttonOf(composer, 'Mention').click();
    await waitForRender(composer);
    expect(boxOf(composer).value).toBe('Ask @');
    await vi.waitFor(() => expect(listOf(composer)).not.toBeNull());
  });
});

describe('a tag in the text', () => {
  it('is copied and pasted as a tag, and as words elsewhere', async () => {
    const {composer, sent} = await mount();
    composer.setDraft({content: [text('Ask '), ADA]});
    await waitForRender(composer);
    const data = new Map<string, string>();
    const clipboardData = {
      files: [],
      setData: (kind: string, value: string) => data.set(kind, value),
      getData: (kind: string) => data.get(kind) ?? '',
    };
    const box = boxOf(composer);
    const fire = (name: string) =>
      box.dispatchEvent(Object.assign(new Event(name, {bubbles: true, cancelable: true}), {clipboardData}));
    box.setSelectionRange(0, 7);
    fire('copy');
    expect(data.get('text/plain')).toBe('Ask Ada');
    box.setSelectionRange(7, 7);
    fire('paste');
    await press(composer, 'Enter');
    expect(sent()).toMatchObject([{content: [text('Ask '), ADA, text('Ask '), ADA]}]);
  });

  it('is cut as a whole', async () => {
    const {composer} = await mount();
    composer.setDraft({content: [ADA, text(' x')]});
    await waitForRender(composer);
    boxOf(composer).setSelectionRange(0, 3);
    const clipboardData = {setData: () => {}};
    boxOf(composer).dispatchEvent(Object.assign(new Event('cut', {cancelable: true}), {clipboardData}));
    expect(composer.draft).toEqual({text: ' x', tags: []});
  });
});

describe('commands', () => {
  it('run and take the word away; nested ones come next; Escape keeps the word', async () => {
    const picked: string[] = [];
    const onSelect = async ({id}: {id: string}) => {
      picked.push(id);
      return id === 'who' ? {type: 'menu', commands: [{id: 'ada', label: 'Ada'}]} : undefined;
    };
    const {composer} = await mount({
      commands: {enabled: true, onSearch: async () => [{id: 'who', label: 'Assign'}], onSelect},
    });
    await type(composer, 'Now /as');
    await vi.waitFor(() => expect(listOf(composer)?.textContent).toContain('Assign'));
    await press(composer, 'Enter');
    await vi.waitFor(() => expect(listOf(composer)?.textContent).toContain('Ada'));
    expect(boxOf(composer).value).toBe('Now /');
    await press(composer, 'Enter');
    await vi.waitFor(() => expect(boxOf(composer).value).toBe('Now '));
    expect(picked).toEqual(['who', 'ada']);
    await type(composer, 'Now /as');
    await press(composer, 'Escape');
    expect(boxOf(composer).value).toBe('Now /as');
  });

  it('that fail leave the text and are reported', async () => {
    const commands = {
      enabled: true,
      onSearch: () => [{id: 'x', label: 'X'}],
      onSelect: () => Promise.reject(new Error('no')),
    };
    const {composer, intents} = await mount({commands});
    await type(composer, '/');
    await vi.waitFor(() => expect(listOf(composer)?.textContent).toContain('X'));
    await press(composer, 'Enter');
    await vi.waitFor(() => expect(intents).toMatchObject([{type: 'report', isShown: true, error: {message: 'no'}}]));
    expect(boxOf(composer).value).toBe('/');
  });

  it('are plain text where they are off', async () => {
    const {composer} = await mount();
    await type(composer, '/');
    expect(listOf(composer)).toBeNull();
  });
});

describe('the draft', () => {
  const draft = {content: [text('Ask '), ADA], quotedText: 'as was said'};

  it('outlives a lock, whose reason takes its place, and a closed thread', async () => {
    const {composer, sent} = await mount();
    composer.setDraft(draft);
    composer.status = {type: 'locked', reason: 'An agent is looking.'};
    await waitForRender(composer);
    expect(boxOf(composer)).toMatchObject({disabled: true, value: '', placeholder: 'An agent is looking.'});
    composer.status = {type: 'closed', reason: undefined};
    await waitForRender(composer);
    expect(composer.shadowRoot?.textContent).toContain('This chat is closed.');
    expect(composer.shadowRoot?.querySelector('parlor-composer-field')).toBeNull();
    composer.status = {type: 'active'};
    await waitForRender(composer);
    expect(boxOf(composer)).toMatchObject({disabled: false, value: 'Ask Ada'});
    await press(composer, 'Enter');
    expect(sent()).toMatchObject([draft]);
  });

  it('outlives questions that take over', async () => {
    const {composer} = await mount();
    composer.setDraft(draft);
    composer.pendingInput = {
      type: 'structured_input',
      id: 's',
      status: 'pending',
      inputs: [{type: 'freeform', id: 'q', question: 'Why?', answer: undefined, description: undefined}],
    };
    await waitForRender(composer);
    expect(composer.shadowRoot?.querySelector('parlor-composer-field')).toBeNull();
    composer.pendingInput = undefined;
    await waitForRender(composer);
    expect(boxOf(composer).value).toBe('Ask Ada');
  });

  it('shows a quote that can be removed', async () => {
    const {composer} = await mount();
    composer.setDraft(draft);
    await waitForRender(composer);
    expect(part(composer, '.quote').textContent).toContain('as was said');
    buttonOf(composer, 'Remove quote').click();
    await waitForRender(composer);
    expect(composer.shadowRoot?.querySelector('.quote')).toBeNull();
  });
});

it('what was dictated goes to the caret, apart from the words around it', async () => {
  const {composer} = await mount({composer: {dictation: {enabled: true}}});
  await type(composer, 'Before after', 6);
  const dictation = await vi.waitFor(() => part(composer, 'parlor-dictation'));
  dictation.dispatchEvent(new CustomEvent('dictated', {detail: 'the middle'}));
  await waitForRender(composer);
  expect(boxOf(composer).value).toBe('Before the middle after');
  expect(boxOf(composer).selectionEnd).toBe('Before the middle'.length);
});
