import '../testing/happy-dom.js';
import {afterEach, beforeAll, beforeEach, describe, expect, it, vi} from 'vitest';
import '../define.js';
import type {Intent, IntentEvent} from '../intents.js';
import {lazyElements} from '../lazy-elements.js';
import type {DictationView} from './dictation.js';

beforeAll(() => lazyElements.load('parlor-dictation'));

/** A recorder that a test speaks into. */
class FakeRecorder extends EventTarget {
  static supported: readonly string[] = [];
  static last: FakeRecorder | undefined;
  static isTypeSupported = (type: string) => FakeRecorder.supported.includes(type);
  readonly stream: unknown;
  readonly mimeType: string;
  state = 'inactive';

  constructor(stream: unknown, options: {mimeType?: string}) {
    super();
    this.stream = stream;
    this.mimeType = options.mimeType ?? 'audio/default';
    FakeRecorder.last = this;
  }

  start(): void {
    this.state = 'recording';
  }

  stop(spoken = 'sound'): void {
    this.state = 'inactive';
    if (spoken) this.dispatchEvent(Object.assign(new Event('dataavailable'), {data: new Blob([spoken])}));
    this.dispatchEvent(new Event('stop'));
  }
}

let stopped = 0;
const microphone = {getTracks: () => [{stop: () => (stopped += 1)}]};

function provide(getUserMedia: unknown, recorder: unknown = FakeRecorder): void {
  vi.stubGlobal('MediaRecorder', recorder);
  vi.stubGlobal('isSecureContext', true);
  Object.defineProperty(navigator, 'mediaDevices', {configurable: true, value: getUserMedia && {getUserMedia}});
}

beforeEach(() => {
  stopped = 0;
  FakeRecorder.supported = ['audio/mp4', 'audio/ogg;codecs=opus'];
});
afterEach(() => {
  vi.unstubAllGlobals();
  document.body.replaceChildren();
});

async function mount() {
  const view = document.createElement('parlor-dictation') as DictationView;
  const intents: Intent[] = [];
  const dictated: string[] = [];
  view.addEventListener('parlor-intent', event => intents.push((event as IntentEvent).intent));
  view.addEventListener('dictated', event => dictated.push((event as CustomEvent<string>).detail));
  document.body.append(view);
  await view.updateComplete;
  const button = (name: string) => view.shadowRoot?.querySelector<HTMLButtonElement>(`button[aria-label="${name}"]`);
  const record = async () => {
    button('Dictate')?.click();
    await vi.waitFor(() => expect(button('Finish dictating')).not.toBeNull());
  };
  return {view, intents, dictated, button, record};
}

describe('dictation', () => {
  it.each([
    ['without a secure connection', () => vi.stubGlobal('isSecureContext', false), /secure connection/],
    ['without a recorder', () => vi.stubGlobal('MediaRecorder', undefined), /cannot record/],
    ['without devices', () => provide(undefined), /cannot record/],
  ])('says what is missing %s', async (_, remove, message) => {
    provide(async () => microphone);
    remove();
    const {button, intents} = await mount();
    button('Dictate')?.click();
    expect(intents).toMatchObject([{type: 'report', isShown: true, error: {message: expect.stringMatching(message)}}]);
  });

  it.each([
    ['NotAllowedError', /may not be used/],
    ['NotFoundError', /No microphone/],
    ['AbortError', /recording failed/],
  ])('explains %s and can be tried again', async (name, message) => {
    provide(() => Promise.reject(new DOMException('raw text', name)));
    const {view, button, intents} = await mount();
    button('Dictate')?.click();
    await vi.waitFor(() => expect(intents).toHaveLength(1));
    expect(intents).toMatchObject([{error: {message: expect.stringMatching(message)}}]);
    expect(view.state).toBe('idle');
  });

  it('records in the first type that works and hands on what was said', async () => {
    provide(async () => microphone);
    const {button, record, intents, dictated, view} = await mount();
    await record();
    button('Finish dictating')?.click();
    expect(stopped).toBe(1);
    expect(intents).toMatchObject([{type: 'transcribe', audio: {type: 'audio/mp4', size: 5}}]);
    await view.updateComplete;
    expect(view.shadowRoot?.textContent).toContain('Writing down');
    const [asked] = intents;
    if (asked?.type === 'transcribe') asked.done(Promise.resolve('hello'));
    await vi.waitFor(() => expect(dictated).toEqual(['hello']));
  });

  it('tells when it could not be written down', async () => {
    provide(async () => microphone);
    const {record, intents, dictated} = await mount();
    await record();
    FakeRecorder.last?.stop();
    const [asked] = intents;
    if (asked?.type === 'transcribe') asked.done(Promise.reject(new Error('The server is busy.')));
    await vi.waitFor(() => expect(intents.at(-1)).toMatchObject({error: {message: 'The server is busy.'}}));
    expect(dictated).toEqual([]);
  });

  it('that is discarded, or whose view goes, is sent nowhere and frees the microphone', async () => {
    provide(async () => microphone);
    const {button, record, intents, view} = await mount();
    await record();
    button('Discard the recording')?.click();
    expect([stopped > 0, intents]).toEqual([true, []]);
    stopped = 0;
    await view.updateComplete;
    await record();
    view.remove();
    expect([stopped > 0, intents]).toEqual([true, []]);
  });

  it('frees a microphone that is granted after the view has gone', async () => {
    let grant: (stream: unknown) => void = () => {};
    provide(() => new Promise(resolve => (grant = resolve)));
    const {button, view} = await mount();
    button('Dictate')?.click();
    view.remove();
    grant(microphone);
    await vi.waitFor(() => expect(stopped).toBe(1));
  });
});
