/** `<parlor-dictation>`: records speech and has it transcribed. */
import {css, html, LitElement, nothing} from 'lit';
import {icon} from '../icons/icons.js';
import {dispatch} from '../intents.js';
import {strings} from '../strings.js';
import {baseStyles, buttonStyles} from './styles.js';

/** Recording types, in the order in which servers prefer them. */
const RECORDING_TYPES = ['audio/webm;codecs=opus', 'audio/mp4', 'audio/ogg;codecs=opus'] as const;
/** A forgotten recording ends after this time and is transcribed. */
const MAX_RECORDING_MS = 300_000;

type State = 'idle' | 'asking' | 'recording' | 'writing';

/**
 * @event dictated - `CustomEvent<string>`; the transcribed text, not empty.
 */
export class DictationView extends LitElement {
  static override properties = {
    disabled: {attribute: false},
    state: {state: true},
  };
  static override styles = [
    baseStyles,
    buttonStyles,
    css`
      :host {
        display: inline-flex;
        align-items: center;
        gap: 4px;
      }
      .icon-button {
        border-radius: max(var(--chatkit-radius-full), 6px);
      }
      .recording {
        color: var(--chatkit-text-danger);
        background: var(--chatkit-danger-soft);
        animation: pulse 1.6s ease-in-out infinite;
      }
      .icon-button.recording:hover:not(:disabled) {
        color: var(--chatkit-text-danger);
        background: var(--chatkit-danger-soft);
      }
      @keyframes pulse {
        50% {
          opacity: 0.6;
        }
      }
      .spinner {
        inline-size: 18px;
        block-size: 18px;
        border: 2px solid var(--chatkit-border-strong);
        border-block-start-color: var(--chatkit-text-primary);
        border-radius: 50%;
        animation: spin 0.9s linear infinite;
      }
      @keyframes spin {
        to {
          transform: rotate(1turn);
        }
      }
    `,
  ];

  declare disabled: boolean;
  declare state: State;

  #recorder: MediaRecorder | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Incremented when a recording is discarded; later events of an older one are ignored. */
  #generation = 0;

  constructor() {
    super();
    this.disabled = false;
    this.state = 'idle';
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#discard();
  }

  override render() {
    const isRecording = this.state === 'recording';
    const label = isRecording ? strings.dictateStop : strings.dictate;
    return html`${
      isRecording
        ? html`<button type="button" class="icon-button" aria-label=${strings.dictateCancel} title=${strings.dictateCancel} @click=${() => this.#discard()}>
            ${icon('close', '18')}
          </button>`
        : nothing
    }
      <button
        type="button"
        class="icon-button main ${isRecording ? 'recording' : ''}"
        aria-label=${label}
        title=${label}
        ?disabled=${this.disabled && !isRecording}
        aria-disabled=${this.state === 'asking' || this.state === 'writing' ? 'true' : nothing}
        @click=${this.#onClick}
        @keydown=${this.#onKey}
      >${this.state === 'writing' ? html`<div class="spinner"></div>` : icon(isRecording ? 'check' : 'mic', '20')}</button>
      <span class="visually-hidden" role="status">${this.#status}</span>`;
  }

  get #status(): string {
    if (this.state === 'recording') return strings.dictating;
    return this.state === 'writing' ? strings.transcribing : '';
  }

  #onClick = (): void => {
    if (this.state === 'idle') void this.#record();
    else if (this.state === 'recording') this.#recorder?.stop();
  };

  #onKey = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || this.state !== 'recording') return;
    event.stopPropagation();
    event.preventDefault();
    this.#discard();
  };

  async #record(): Promise<void> {
    const obstacle = describeObstacle();
    if (obstacle !== undefined) {
      this.#reportError(obstacle);
      return;
    }
    const generation = this.#generation;
    this.state = 'asking';
    try {
      const stream = await navigator.mediaDevices.getUserMedia({audio: true});
      if (generation !== this.#generation) {
        stopTracks(stream);
        return;
      }
      this.#start(stream, generation);
    } catch (error) {
      if (generation !== this.#generation) return;
      this.state = 'idle';
      this.#reportError(describeError(error), error);
    }
  }

  #start(stream: MediaStream, generation: number): void {
    const mimeType = RECORDING_TYPES.find(type => MediaRecorder.isTypeSupported(type));
    const recorder = new MediaRecorder(stream, mimeType === undefined ? {} : {mimeType});
    const pieces: Blob[] = [];
    this.#recorder = recorder;
    recorder.addEventListener('dataavailable', event => pieces.push(event.data));
    recorder.addEventListener('error', () => this.#fail(generation));
    recorder.addEventListener('stop', () => {
      stopTracks(stream);
      if (generation !== this.#generation) return;
      clearTimeout(this.#timer);
      this.#recorder = undefined;
      void this.#transcribe(new Blob(pieces, {type: mimeType ?? recorder.mimeType}), generation);
    });
    recorder.start();
    this.#timer = setTimeout(() => recorder.stop(), MAX_RECORDING_MS);
    this.state = 'recording';
  }

  async #transcribe(audio: Blob, generation: number): Promise<void> {
    if (audio.size === 0) {
      this.state = 'idle';
      this.#reportError(strings.dictationEmpty);
      return;
    }
    this.state = 'writing';
    try {
      const text = await new Promise<string>((resolve, reject) => {
        dispatch(this, {type: 'transcribe', audio, done: answer => void answer.then(resolve, reject)});
      });
      if (generation !== this.#generation) return;
      this.state = 'idle';
      if (text === '') this.#reportError(strings.dictationEmpty);
      else this.dispatchEvent(new CustomEvent('dictated', {detail: text}));
    } catch (error) {
      if (generation !== this.#generation) return;
      this.state = 'idle';
      this.#reportError(error instanceof Error ? error.message : strings.dictationFailed, error);
    }
  }

  #fail(generation: number): void {
    if (generation !== this.#generation) return;
    this.#discard();
    this.#reportError(strings.dictationFailed);
  }

  /** Ends a recording or transcription without a result. */
  #discard(): void {
    this.#generation += 1;
    clearTimeout(this.#timer);
    const recorder = this.#recorder;
    this.#recorder = undefined;
    if (recorder) {
      stopTracks(recorder.stream);
      if (recorder.state !== 'inactive') recorder.stop();
    }
    this.state = 'idle';
  }

  #reportError(message: string, cause?: unknown): void {
    dispatch(this, {type: 'report', error: new Error(message, {cause}), isShown: true});
  }
}

/** Returns a message for the user when recording is not possible, `undefined` when it can be tried. */
function describeObstacle(): string | undefined {
  if (globalThis.isSecureContext === false) return strings.dictationInsecure;
  const canRecord = typeof MediaRecorder === 'function' && typeof navigator.mediaDevices?.getUserMedia === 'function';
  return canRecord ? undefined : strings.dictationMissing;
}

function describeError(error: unknown): string {
  const name = error instanceof Error || error instanceof DOMException ? error.name : '';
  if (name === 'NotAllowedError' || name === 'SecurityError') return strings.dictationRefused;
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return strings.dictationNoMicrophone;
  return strings.dictationFailed;
}

function stopTracks(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
