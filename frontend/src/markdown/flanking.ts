/** Emphasis in languages without spaces between words: where `*`, `_` and `~` may open and close. */
import type {MarkdownIt as Parser, StateInline} from 'markdown-it';

// CommonMark asks whether a mark touches a space or punctuation. Where nothing stands between words, or a particle follows
// the word, text comes right behind the mark, so that its closing half counted as no mark at all.
const UNSPACED =
  /[\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\u3000-\u303f\u30fb\u30fc\ufe10-\ufe1f\ufe30-\ufe4f\uff00-\uffee]/u;
/** Pictures stand for words as much as for punctuation. */
const PICTURE = /[\p{Extended_Pictographic}\p{Regional_Indicator}]|\u20e3/u;
/** Characters that only change how the one before them looks. */
const INVISIBLE = /[\ufe00-\ufe0f]|\u200d|[\u{1f3fb}-\u{1f3ff}]/u;

/** Set in the parser's environment to a list: the marks that nothing has closed are put into it. */
export const OPEN_MARKS = Symbol('open marks');

export interface OpenMark {
  readonly mark: string;
  /** The length of the run that the mark belongs to. */
  readonly length: number;
  /** Whether the mark could close as well. */
  readonly closes: boolean;
}

interface Neighbour {
  readonly isSpace: boolean;
  readonly isUnspaced: boolean;
  readonly isPicture: boolean;
  readonly isPunctuation: boolean;
}

type Scanned = ReturnType<StateInline['scanDelims']>;

export function addFlanking(parser: Parser): void {
  parser.inline.State = class extends parser.inline.State {
    override scanDelims(start: number, canSplitWord: boolean): Scanned {
      let end = start;
      while (end < this.posMax && this.src[end] === this.src[start]) end += 1;
      const length = end - start;
      const before = describe(parser, characterBefore(this.src, start));
      const after = describe(parser, end < this.posMax ? String.fromCodePoint(this.src.codePointAt(end) ?? 32) : ' ');
      const isLeft = flanks(after, before);
      const isRight = flanks(before, after);
      // One `_` within a word belongs to a name; nobody names anything with two of them and no other letters around.
      const splitsWord = canSplitWord || (length > 1 && before.isUnspaced && after.isUnspaced);
      return {
        can_open: isLeft && (splitsWord || !isRight || before.isPunctuation),
        can_close: isRight && (splitsWord || !isLeft || after.isPunctuation),
        length,
      };
    }
  };
  parser.inline.ruler2.after('balance_pairs', 'open_marks', ({env, delimiters}) => {
    const found = env[OPEN_MARKS] as OpenMark[] | undefined;
    for (const {marker, length = 0, open, close, end} of found ? delimiters : []) {
      const mark = String.fromCharCode(marker);
      if (open && end < 0) found?.push({mark: mark === '~' ? '~~' : mark, length, closes: close});
    }
  });
}

/** Whether a mark with `inner` on its inside and `outer` on its outside may begin, or end, what it marks. */
function flanks(inner: Neighbour, outer: Neighbour): boolean {
  if (inner.isSpace) return false;
  if (!inner.isPunctuation || inner.isUnspaced || inner.isPicture) return true;
  return outer.isSpace || outer.isPunctuation || outer.isUnspaced;
}

function characterBefore(text: string, at: number): string {
  const [character = ' '] = [...text.slice(Math.max(0, at - 8), at)].reverse().filter(each => !INVISIBLE.test(each));
  return character;
}

function describe({utils}: Parser, character: string): Neighbour {
  const isAscii = character < '\u0080';
  return {
    isSpace: utils.isWhiteSpace(character.codePointAt(0) ?? 32),
    isUnspaced: !isAscii && UNSPACED.test(character),
    isPicture: !isAscii && PICTURE.test(character),
    isPunctuation: utils.isPunctChar(character),
  };
}
