/** `<parlor-structured-input>`: questions of the assistant, one after the other, in place of the composer. */
import {html, LitElement, nothing, type PropertyValues} from 'lit';
import {live} from 'lit/directives/live.js';
import {dispatch} from '../intents.js';
import type {Freeform, MultipleChoice, Question, QuestionAnswer, StructuredInput} from '../protocol/types.js';
import {strings} from '../strings.js';
import {isTouch} from './field-keys.js';
import {structuredInputStyles} from './structured-input-style.js';
import {baseStyles, buttonStyles} from './styles.js';

/** The answer to a question so far: its choices and text. */
interface Entry {
  readonly chosen: readonly string[];
  readonly isOwnChosen: boolean;
  readonly ownText: string;
}
const EMPTY_ENTRY: Entry = {chosen: [], isOwnChosen: false, ownText: ''};
const SKIPPED: QuestionAnswer = {values: [], skipped: true};

export class StructuredInputView extends LitElement {
  static override properties = {
    item: {attribute: false},
    disabled: {attribute: false},
    at: {state: true},
  };
  static override styles = [baseStyles, buttonStyles, structuredInputStyles];

  declare item: StructuredInput | undefined;
  /** Prevents sending, for example while an answer runs. */
  declare disabled: boolean;
  declare at: number;

  #entries = new Map<string, Entry>();
  #skipped = new Set<string>();
  #focusNext = false;

  constructor() {
    super();
    this.item = undefined;
    this.disabled = false;
    this.at = 0;
  }

  override focus(): void {
    if (this.hasUpdated) this.#focusField();
    else void this.updateComplete.then(() => this.#focusField());
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const before = changed.get('item') as StructuredInput | undefined;
    if (!changed.has('item') || before?.id === this.item?.id) return;
    this.at = 0;
    this.#entries.clear();
    this.#skipped.clear();
  }

  protected override updated(): void {
    if (!this.#focusNext) return;
    this.#focusNext = false;
    this.focus();
  }

  override render() {
    const questions = this.item?.inputs ?? [];
    const question = questions[this.at];
    if (!question) return nothing;
    const isLast = this.at === questions.length - 1;
    const isOff = this.disabled;
    return html`<form class="box" part="structured-input" aria-label=${strings.questionForm} novalidate @submit=${this.#onSubmit}>
      <div class="scroll"><fieldset ?disabled=${isOff} aria-describedby=${question.type === 'freeform' && question.description ? 'description' : nothing}>
        <legend>
          ${questions.length > 1 ? html`<span class="count">${strings.questionOf(this.at + 1, questions.length)}</span>` : nothing}
          <span dir="auto">${question.question}</span>
        </legend>
        ${question.type === 'multiple_choice' ? this.#choices(question) : this.#freeform(question)}
      </fieldset></div>
      <div class="buttons">
        ${
          this.at > 0
            ? html`<button type="button" class="text-button" ?disabled=${isOff} @click=${() => this.#show(this.at - 1)}>${strings.back}</button>`
            : nothing
        }
        <span class="gap"></span>
        ${
          questions.length > 1
            ? html`<button type="button" class="text-button quiet" ?disabled=${isOff} @click=${this.#skipAll}>${strings.skipAll}</button>`
            : nothing
        }
        <button type="button" class="text-button quiet" ?disabled=${isOff} @click=${() => this.#skip(question)}>${strings.skip}</button>
        <button type="submit" class="text-button primary" ?disabled=${isOff || this.#readValues(question).length === 0}>
          ${isLast ? strings.submitAnswers : strings.next}
        </button>
      </div>
    </form>`;
  }

  #choices(question: MultipleChoice) {
    const {chosen, isOwnChosen, ownText} = this.#getEntry(question);
    const type = question.multiple ? 'checkbox' : 'radio';
    return html`<div class="options">
      ${question.options.map(
        option => html`<label class="option">
          <input
            type=${type}
            name="answer"
            .checked=${live(chosen.includes(option))}
            @change=${() => this.#toggle(question, option)}
            @keydown=${this.#onChoiceKey}
          />
          <span dir="auto">${option}</span>
        </label>`,
      )}
      <div class="option own">
        <label>
          <input
            type=${type}
            name="answer"
            .checked=${live(isOwnChosen)}
            aria-label=${strings.ownAnswer}
            @change=${() => this.#toggleOwn(question)}
            @click=${this.#onOwnClick}
            @keydown=${this.#onChoiceKey}
          />
        </label>
        <input
          type="text"
          dir="auto"
          autocomplete="off"
          aria-label=${strings.ownAnswerField}
          placeholder=${strings.ownAnswer}
          .value=${live(ownText)}
          @input=${(event: Event) => this.#setOwnText(question, (event.target as HTMLInputElement).value)}
          @keydown=${this.#onTextKey}
        />
      </div>
    </div>`;
  }

  #freeform(question: Freeform) {
    return html`${question.description ? html`<p id="description" class="description" dir="auto">${question.description}</p>` : nothing}
      <textarea
        rows="2"
        dir="auto"
        aria-label=${strings.answerField}
        placeholder=${strings.answerField}
        .value=${live(this.#getEntry(question).ownText)}
        @input=${(event: Event) => this.#setOwnText(question, (event.target as HTMLTextAreaElement).value)}
        @keydown=${this.#onTextKey}
      ></textarea>`;
  }

  #toggle(question: MultipleChoice, option: string): void {
    const entry = this.#getEntry(question);
    if (!question.multiple) {
      this.#updateEntry(question, {chosen: [option], isOwnChosen: false});
      return;
    }
    const isChosen = entry.chosen.includes(option);
    this.#updateEntry(question, {
      chosen: isChosen ? entry.chosen.filter(other => other !== option) : [...entry.chosen, option],
    });
  }

  #toggleOwn(question: MultipleChoice): void {
    const {isOwnChosen} = this.#getEntry(question);
    this.#updateEntry(question, question.multiple ? {isOwnChosen: !isOwnChosen} : {isOwnChosen: true, chosen: []});
  }

  #onOwnClick = (event: MouseEvent): void => {
    // Arrow keys cause clicks too, with a count of 0, and must be free to move on.
    const isChosen = (event.target as HTMLInputElement).checked;
    if (event.detail > 0 && isChosen) this.renderRoot.querySelector<HTMLElement>('input[type=text]')?.focus();
  };

  #setOwnText(question: Question, ownText: string): void {
    const isOwnChosen = ownText.trim() !== '';
    const replacesChoice = question.type === 'multiple_choice' && !question.multiple && isOwnChosen;
    this.#updateEntry(question, {ownText, isOwnChosen, ...(replacesChoice ? {chosen: []} : {})});
  }

  #onTextKey = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' || event.shiftKey) return;
    // Input methods confirm their choice with Enter.
    if (event.isComposing || event.keyCode === 229) return;
    if (isTouch() && event.target instanceof HTMLTextAreaElement) return;
    event.preventDefault();
    this.#advance();
  };

  #onChoiceKey = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    this.#advance();
  };

  #onSubmit = (event: Event): void => {
    event.preventDefault();
    this.#advance();
  };

  #advance(): void {
    const question = this.item?.inputs[this.at];
    if (!question || this.#readValues(question).length === 0) return;
    this.#skipped.delete(question.id);
    this.#proceed();
  }

  #skip(question: Question): void {
    this.#skipped.add(question.id);
    this.#proceed();
  }

  #proceed(): void {
    if (this.disabled) return;
    const questions = this.item?.inputs ?? [];
    if (this.at < questions.length - 1) {
      this.#show(this.at + 1);
      return;
    }
    const answers = questions.map((question): readonly [string, QuestionAnswer] => {
      const values = this.#skipped.has(question.id) ? [] : this.#readValues(question);
      return [question.id, values.length === 0 ? SKIPPED : {values, skipped: false}];
    });
    const isAnswered = answers.some(([, answer]) => !answer.skipped);
    this.#send(isAnswered ? 'answered' : 'skipped', Object.fromEntries(answers));
  }

  #skipAll = (): void => {
    const questions = this.item?.inputs ?? [];
    this.#send('skipped', Object.fromEntries(questions.map(({id}) => [id, SKIPPED])));
  };

  #send(status: 'answered' | 'skipped', answers: Readonly<Record<string, QuestionAnswer>>): void {
    if (!this.item || this.disabled) return;
    dispatch(this, {type: 'answer-input', itemId: this.item.id, status, answers});
  }

  #show(at: number): void {
    this.at = at;
    this.#focusNext = true;
  }

  #focusField(): void {
    const scope = this.renderRoot;
    const chosen = scope.querySelector<HTMLElement>('input:checked');
    (chosen ?? scope.querySelector<HTMLElement>('input, textarea'))?.focus();
  }

  #readValues(question: Question): readonly string[] {
    const {chosen, isOwnChosen, ownText} = this.#getEntry(question);
    const own = ownText.trim();
    if (question.type === 'freeform') return own === '' ? [] : [own];
    // In the order of the options, not of the clicks.
    const picked = question.options.filter(option => chosen.includes(option));
    return isOwnChosen && own !== '' ? [...picked, own] : picked;
  }

  #getEntry({id}: Question): Entry {
    return this.#entries.get(id) ?? EMPTY_ENTRY;
  }

  #updateEntry(question: Question, change: Partial<Entry>): void {
    this.#entries.set(question.id, {...this.#getEntry(question), ...change});
    this.requestUpdate();
  }
}
