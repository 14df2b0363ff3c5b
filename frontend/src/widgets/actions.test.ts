import {describe, expect, test} from 'vitest';
import {isBlockedBy, loadingOf, mergeForm, parseAction, type WidgetAction} from './actions.js';

function action(extra: Record<string, unknown> = {}): WidgetAction {
  const parsed = parseAction({type: 'todo.add', ...extra});
  if (parsed === null) {
    throw new Error('not an action');
  }
  return parsed;
}

describe('reading an action', () => {
  test('what is missing gets the documented defaults', () => {
    expect(action()).toEqual({
      type: 'todo.add',
      payload: undefined,
      handler: 'server',
      loadingBehavior: 'auto',
      streaming: true,
    });
  });

  test.each([false, 'false'])('streaming %s means an answer at once', streaming => {
    expect(action({streaming}).streaming).toBe(false);
  });

  test.each([null, undefined, 'x', [], {}, {type: 3}, {type: ''}])('%s is no action', value => {
    expect(parseAction(value)).toBeNull();
  });
});

describe('loading', () => {
  test('auto depends on what was done', () => {
    expect(loadingOf(action(), 'click')).toBe('self');
    expect(loadingOf(action(), 'change')).toBe('none');
    expect(loadingOf(action(), 'confirm')).toBe('container');
    expect(loadingOf(action(), 'submit')).toBe('container');
  });

  test('an explicit behaviour wins', () => {
    expect(loadingOf(action({loadingBehavior: 'none'}), 'click')).toBe('none');
  });
});

test('only streaming server actions wait for a running answer', () => {
  expect(isBlockedBy(action(), true)).toBe(true);
  expect(isBlockedBy(action(), false)).toBe(false);
  expect(isBlockedBy(action({streaming: false}), true)).toBe(false);
  expect(isBlockedBy(action({handler: 'client'}), true)).toBe(false);
});

describe('merging form values', () => {
  test('dots nest, also into an object the payload already has', () => {
    const {payload, problems} = mergeForm({todo: {id: 1}}, [
      {name: 'todo.title', value: 'Milk'},
      {name: 'when.day.name', value: 'Monday'},
    ]);
    expect(payload).toEqual({todo: {id: 1, title: 'Milk'}, when: {day: {name: 'Monday'}}});
    expect(problems).toEqual([]);
  });

  test('the payload wins on collision and the loss is reported', () => {
    const {payload, problems} = mergeForm({title: 'server', flat: 'x'}, [
      {name: 'title', value: 'form'},
      {name: 'flat.deep', value: 'form'},
    ]);
    expect(payload).toEqual({title: 'server', flat: 'x'});
    expect(problems).toHaveLength(2);
    expect(problems[0]).toContain('title');
  });

  test.each(['__proto__.polluted', 'constructor.prototype.polluted', 'a.__proto__', '', 'a..b'])(
    'the field name "%s" is refused',
    name => {
      const {payload, problems} = mergeForm({}, [{name, value: true}]);
      expect(payload).toEqual({});
      expect(problems).toHaveLength(1);
      expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    },
  );

  test('a __proto__ key in the payload does not become a prototype', () => {
    const {payload} = mergeForm(JSON.parse('{"__proto__": {"polluted": true}}'), [{name: 'a', value: 1}]);
    expect((payload as Record<string, unknown>).polluted).toBeUndefined();
  });

  test('a payload that is no object stays as it is', () => {
    const {payload, problems} = mergeForm([1], [{name: 'a', value: 1}]);
    expect(payload).toEqual([1]);
    expect(problems).toHaveLength(1);
  });

  test('the widget JSON is not written to', () => {
    const stored = {todo: {id: 1}};
    mergeForm(stored, [{name: 'todo.title', value: 'Milk'}]);
    expect(stored).toEqual({todo: {id: 1}});
  });
});
