/** Emphasis in languages without spaces between words: where `*`, `_` and `~` may open and close. */
import type {MarkdownIt as Parser, StateInline} from 'markdown-it';

// CommonMark decides by the spaces and punctuation around a mark whether it opens or closes. In languages without
// spaces between words, text follows a closing mark directly, so that CommonMark would not recognise it.
const UNSPACED =
  /[\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\u3000-\u303f\u30fb\u30fc\ufe10-\ufe1f\ufe30-\ufe4f\uff00-\uffee]/u;
/** Emoji count as words as well as punctuation. */
const EMOJI = /[\p{Extended_Pictographic}\p{Regional_Indicator}]|\u20e3/u;
/** Characters that only modify the previous character. */
const INVISIBLE = /[\ufe00-\ufe0f]|\u200d|[\u{1f3fb}-\u{1f3ff}]/u;

/** Key of a list in the parser's environment, to which the parser adds the marks that were not closed. */
export const OPEN_MARKS = Symbol('open marks');

export interface OpenMark {
  readonly mark: string;
  /** The length of the run of marks. */
  readonly length: number;
  /** Whether the mark could close as well. */
  readonly closes: boolean;
}

interface Neighbour {
  readonly isSpace: boolean;
  readonly isUnspaced: boolean;
  readonly isEmoji: boolean;
  readonly isPunctuation: boolean;
}

type Scanned = ReturnType<StateInline['scanDelims']>;

export function addFlanking(parser: Parser): void {
  parser.inline.State = class extends parser.inline.State {
    override scanDelims(start: number, canSplitWord: boolean): Scanned {
      let end = start;
      while (end < this.posMax && this.src[end] === this.src[start]) end += 1;
      const length = end - start;
      const before = classify(parser, characterBefore(this.src, start));
      const after = classify(parser, end < this.posMax ? String.fromCodePoint(this.src.codePointAt(end) ?? 32) : ' ');
      const isLeft = flanks(after, before);
      const isRight = flanks(before, after);
      // A single `_` within a word is part of a name; a double one between unspaced characters is a mark.
      const splitsWord = canSplitWord || (length > 1 && before.isUnspaced && after.isUnspaced);
      return {
        can_open: isLeft && (splitsWord || !isRight || before.isPunctuation),
        can_close: isRight && (splitsWord || !isLeft || after.isPunctuation),
        length,
      };
    }
  };
  parser.inline.ruler2.after('balance_pairs', 'open_marks', ({env, delimiters}) => {
    const openMarks = env[OPEN_MARKS] as OpenMark[] | undefined;
    for (const {marker, length = 0, open, close, end} of openMarks ? delimiters : []) {
      const mark = String.fromCharCode(marker);
      if (open && end < 0) openMarks?.push({mark: mark === '~' ? '~~' : mark, length, closes: close});
    }
  });
}

/** Whether a mark may open or close emphasis, given the characters on its inner and outer side. */
function flanks(inner: Neighbour, outer: Neighbour): boolean {
  if (inner.isSpace) return false;
  if (!inner.isPunctuation || inner.isUnspaced || inner.isEmoji) return true;
  return outer.isSpace || outer.isPunctuation || outer.isUnspaced;
}

function characterBefore(text: string, at: number): string {
  const [character = ' '] = [...text.slice(Math.max(0, at - 8), at)].reverse().filter(char => !INVISIBLE.test(char));
  return character;
}

function classify({utils}: Parser, character: string): Neighbour {
  const isAscii = character < '\u0080';
  return {
    isSpace: utils.isWhiteSpace(character.codePointAt(0) ?? 32),
    isUnspaced: !isAscii && UNSPACED.test(character),
    isEmoji: !isAscii && EMOJI.test(character),
    isPunctuation: utils.isPunctChar(character),
  };
}
