import '../testing/happy-dom.js';
import {afterEach, beforeAll, describe, expect, it} from 'vitest';
import '../define.js';
import type {Intent, IntentEvent} from '../intents.js';
import {lazyElements} from '../lazy-elements.js';
import type {Question, StructuredInput} from '../protocol/types.js';
import type {StructuredInputView} from './structured-input.js';

beforeAll(() => lazyElements.load('parlor-structured-input'));

afterEach(() => document.body.replaceChildren());

const base = {answer: undefined};
const WHEN: Question = {
  ...base,
  type: 'multiple_choice',
  id: 'when',
  question: 'When?',
  options: ['Now', 'Later'],
  multiple: false,
};
const WHAT: Question = {
  ...base,
  type: 'multiple_choice',
  id: 'what',
  question: 'What?',
  options: ['Price', 'Time'],
  multiple: true,
};
const WHY: Question = {...base, type: 'freeform', id: 'why', question: 'Why?', description: 'In a few words'};
const itemOf = (...inputs: readonly Question[]): StructuredInput => ({
  type: 'structured_input',
  id: 's_1',
  status: 'pending',
  inputs,
});

async function mount(...questions: readonly Question[]) {
  const view = document.createElement('parlor-structured-input') as StructuredInputView;
  view.item = itemOf(...questions);
  const intents: Intent[] = [];
  view.addEventListener('parlor-intent', event => intents.push((event as IntentEvent).intent));
  document.body.append(view);
  await view.updateComplete;
  const all = (selector: string) => [...(view.shadowRoot?.querySelectorAll<HTMLInputElement>(selector) ?? [])];
  const pick = async (at: number) => {
    const box = all('[name=answer]')[at];
    if (!box) throw new Error('no such option');
    box.checked = !box.checked;
    box.dispatchEvent(new Event('change'));
    await view.updateComplete;
  };
  const write = async (value: string) => {
    const [field] = all('input[type=text], textarea');
    if (!field) throw new Error('no field');
    field.value = value;
    field.dispatchEvent(new Event('input'));
    await view.updateComplete;
  };
  const press = async (name: string) => {
    all('button')
      .find(button => button.textContent?.trim() === name)
      ?.click();
    await view.updateComplete;
  };
  const field = () => all('input[type=text], textarea')[0];
  const forward = () => all('button[type=submit]')[0];
  return {view, intents, all, pick, write, press, field, forward};
}

const answer = (...values: readonly string[]) => ({values, skipped: values.length === 0});

describe('questions', () => {
  it('come one after the other, and are answered together', async () => {
    const {view, intents, pick, write, press} = await mount(WHEN, WHAT, WHY);
    expect(view.shadowRoot?.textContent).toContain('Question 1 of 3');
    await pick(1);
    await press('Next');
    await pick(1);
    await pick(0);
    await press('Next');
    await write('  Because ');
    await press('Submit');
    expect(intents).toEqual([
      {
        type: 'answer-input',
        itemId: 's_1',
        status: 'answered',
        answers: {when: answer('Later'), what: answer('Price', 'Time'), why: answer('Because')},
      },
    ]);
  });

  it('cannot be passed without an answer, except by skipping', async () => {
    const {intents, forward, press} = await mount(WHEN, WHY);
    expect(forward()?.disabled).toBe(true);
    await press('Skip');
    await press('Skip');
    expect(intents).toMatchObject([{status: 'skipped', answers: {when: answer(), why: answer()}}]);
  });

  it('can be skipped one by one and all at once', async () => {
    const {intents, pick, press} = await mount(WHEN, WHAT);
    await pick(0);
    await press('Next');
    await press('Skip');
    expect(intents).toMatchObject([{status: 'answered', answers: {when: answer('Now'), what: answer()}}]);
    await press('Skip all');
    expect(intents.at(-1)).toMatchObject({status: 'skipped', answers: {when: answer(), what: answer()}});
  });

  it('that were skipped count again when somebody goes back and answers', async () => {
    const {intents, pick, press} = await mount(WHEN, WHAT);
    await press('Skip');
    await press('Back');
    await pick(0);
    await press('Next');
    await pick(0);
    await press('Submit');
    expect(intents).toMatchObject([{answers: {when: answer('Now'), what: answer('Price')}}]);
  });

  it('always take an answer in own words: instead of one option, beside several', async () => {
    const single = await mount(WHEN);
    await single.pick(0);
    await single.write('In May');
    await single.press('Submit');
    expect(single.intents).toMatchObject([{answers: {when: answer('In May')}}]);
    const multiple = await mount(WHAT);
    await multiple.pick(0);
    await multiple.write('Comfort');
    await multiple.press('Submit');
    expect(multiple.intents).toMatchObject([{answers: {what: answer('Price', 'Comfort')}}]);
  });

  it('are not sent by the Enter of an input method, and are by another', async () => {
    const {intents, field, write} = await mount(WHY);
    await write('なぜ');
    const enter = (more: KeyboardEventInit) =>
      field()?.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true, ...more}));
    enter({isComposing: true});
    enter({keyCode: 229});
    enter({shiftKey: true});
    expect(intents).toEqual([]);
    enter({});
    expect(intents).toHaveLength(1);
  });

  it('are named and described for assistive technology', async () => {
    const {view, all} = await mount(WHY);
    const [group] = all('fieldset');
    expect(group?.querySelector('legend')?.textContent).toContain('Why?');
    expect(view.shadowRoot?.getElementById(group?.getAttribute('aria-describedby') ?? '')?.textContent).toBe(
      'In a few words',
    );
    expect(all('textarea')[0]?.getAttribute('aria-label')).toBe('Your answer');
  });

  it('of another item begin anew; the same item come again keeps what was written', async () => {
    const {view, write, field} = await mount(WHY);
    await write('draft');
    view.item = itemOf(WHY);
    await view.updateComplete;
    expect(field()?.value).toBe('draft');
    view.item = {...itemOf(WHY), id: 's_2'};
    await view.updateComplete;
    expect(field()?.value).toBe('');
  });

  it('wait while nothing can be sent', async () => {
    const {view, all, intents, press} = await mount(WHEN);
    view.disabled = true;
    await view.updateComplete;
    await press('Skip');
    expect(all('button').every(({disabled}) => disabled)).toBe(true);
    expect(intents).toEqual([]);
  });
});
