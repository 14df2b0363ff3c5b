import {describe, expect, it} from 'vitest';
import {
  EMPTY_DRAFT,
  edit,
  findTrigger,
  fromContent,
  type InputTag,
  insertTag,
  messageLength,
  replaceRange,
  sliceContent,
  snapSelection,
  toContent,
} from './draft-text.js';

const ADA: InputTag = {
  type: 'input_tag',
  id: 'p1',
  text: 'Ada',
  data: {role: 'author'},
  group: 'People',
  interactive: true,
};
const text = (value: string) => ({type: 'input_text', text: value}) as const;
/** "Ask Ada now", with the tag from 4 to 7. */
const ASK = fromContent([text('Ask '), ADA, text(' now')]);

describe('content', () => {
  it('goes in and out unchanged', () => {
    expect(toContent(ASK)).toEqual([text('Ask '), ADA, text(' now')]);
  });

  it('is trimmed at its ends only, and empty when there is only white space', () => {
    expect(toContent(fromContent([text('\n  '), ADA, text('  x \n')]))).toEqual([ADA, text('  x')]);
    expect(toContent(fromContent([text(' \n ')]))).toEqual([]);
  });

  it('shows a tag without a title by its id and sends it as it came', () => {
    const nameless = {...ADA, text: ''};
    expect(fromContent([nameless]).text).toBe('p1');
    expect(toContent(fromContent([nameless]))).toEqual([nameless]);
  });
});

describe('editing by hand', () => {
  it('moves tags with the text before them', () => {
    expect(toContent(edit(ASK, 'Please Ask Ada now', 7).draft)).toEqual([text('Please Ask '), ADA, text(' now')]);
  });

  it.each([0, 1, 4_095, 4_096, 4_097, 8_192, 12_000])('moves tags in a long text that changes at %i', at => {
    const around = 'ab'.repeat(6_000);
    const draft = fromContent([text(around), ADA, text(around)]);
    for (const place of [at, draft.text.length - at]) {
      if (place > around.length && place < around.length + 3) continue;
      const typed = `${draft.text.slice(0, place)}ab${draft.text.slice(place)}`;
      const moved = place <= around.length ? 2 : 0;
      expect(edit(draft, typed, place + 2).draft).toEqual({
        text: typed,
        tags: draft.tags.map(({start, end, tag}) => ({start: start + moved, end: end + moved, tag})),
      });
    }
  });

  it('keeps a tag when equal letters are typed at either end of it', () => {
    expect(toContent(edit(fromContent([ADA]), 'AdaAda', 6).draft)).toEqual([ADA, text('Ada')]);
    expect(toContent(edit(fromContent([ADA]), 'AdaAda', 3).draft)).toEqual([text('Ada'), ADA]);
  });

  it('removes a whole tag when Backspace takes its last letter', () => {
    expect(edit(ASK, 'Ask Ad now', 6)).toEqual({draft: fromContent([text('Ask  now')]), caret: 4});
  });

  it('removes a whole tag when Delete takes its first letter', () => {
    expect(edit(ASK, 'Ask da now', 4)).toEqual({draft: fromContent([text('Ask  now')]), caret: 4});
  });

  it('removes what is left of two tags when a selection cut both', () => {
    const two = fromContent([ADA, text(' and '), ADA]);
    // "Ada and Ada" with "da and A" replaced by "x".
    expect(edit(two, 'Axda', 2)).toEqual({draft: fromContent([text('x')]), caret: 1});
  });

  it('turns a tag that was typed into into text', () => {
    expect(toContent(edit(ASK, 'Ask A-da now', 6).draft)).toEqual([text('Ask A-da now')]);
  });

  it('removes all tags with all text', () => {
    expect(edit(ASK, '', 0)).toEqual({draft: EMPTY_DRAFT, caret: 0});
  });
});

describe('inserting', () => {
  it('replaces the query by the tag and a space, caret behind it', () => {
    const edited = insertTag(fromContent([text('Hi @ad')]), 3, 6, ADA);
    expect(edited).toEqual({draft: fromContent([text('Hi '), ADA, text(' ')]), caret: 7});
  });

  it('adds no second space', () => {
    const edited = insertTag(fromContent([text('@ad now')]), 0, 3, ADA);
    expect(edited).toEqual({draft: fromContent([ADA, text(' now')]), caret: 4});
  });

  it('copies and pastes a tag as a tag', () => {
    const copied = sliceContent(ASK, 2, 8);
    expect(copied).toEqual([text('k '), ADA, text(' ')]);
    expect(toContent(replaceRange(ASK, 0, 11, copied).draft)).toEqual([text('k '), ADA]);
  });

  it('swallows a tag that the replaced part cuts', () => {
    expect(replaceRange(ASK, 0, 5, [text('Hi')])).toEqual({draft: fromContent([text('Hi now')]), caret: 2});
  });
});

describe('the caret', () => {
  it('jumps over a tag in the direction it came from', () => {
    expect(snapSelection(ASK, 5, 5, 4)).toEqual([7, 7]);
    expect(snapSelection(ASK, 6, 6, 7)).toEqual([4, 4]);
  });

  it('goes to the nearer end of a tag after a click into it', () => {
    expect(snapSelection(ASK, 5, 5, 0)).toEqual([4, 4]);
    expect(snapSelection(ASK, 6, 6, 0)).toEqual([7, 7]);
  });

  it('selects whole tags', () => {
    expect(snapSelection(ASK, 2, 5, 2)).toEqual([2, 7]);
    expect(snapSelection(ASK, 4, 7, 4)).toEqual([4, 7]);
  });
});

describe('a trigger', () => {
  const find = (value: string, caret = value.length) => findTrigger(fromContent([text(value)]), caret, ['@', '/']);

  it.each(['@', 'Hi @', '(@', 'line\n@'])('opens at the start of a word: %j', value => {
    expect(find(value)).toEqual({character: '@', start: value.length - 1, query: ''});
  });

  it.each(['me@example.org', 'and/or', 'https://x', '@ada lovelace', '/usr/bin', '@@', `@${'a'.repeat(65)}`])(
    'stays shut in %j',
    value => {
      expect(find(value)).toBeUndefined();
    },
  );

  it('has the query up to the caret', () => {
    expect(find('say @adam now', 7)).toEqual({character: '@', start: 4, query: 'ad'});
  });

  it('never reaches into a tag, nor begins right behind one', () => {
    const at: InputTag = {...ADA, text: '@ada'};
    expect(findTrigger(fromContent([at]), 4, ['@'])).toBeUndefined();
    expect(findTrigger(fromContent([ADA, text('@x')]), 5, ['@'])).toBeUndefined();
    expect(findTrigger(fromContent([ADA, text(' @x')]), 6, ['@'])?.query).toBe('x');
  });
});

describe('length', () => {
  it('counts mentions as a model reads them, with what they carry, and quotes escaped', () => {
    const told = '<mention id="p1">Ada</mention>';
    expect(messageLength(ASK)).toBe(`Ask ${told} now{"role":"author"}People`.length);
    const odd: InputTag = {...ADA, id: `"'&`, text: '<', data: {}, group: ''};
    expect(messageLength(fromContent([odd]))).toBe('<mention id="&quot;&#x27;&amp;">&lt;</mention>{}'.length);
    expect(messageLength(EMPTY_DRAFT, '😀 & "b"')).toBe('<quoted_text>\n_ &amp; "b"\n</quoted_text>'.length);
  });
});
