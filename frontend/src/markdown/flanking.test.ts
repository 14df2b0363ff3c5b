import '../testing/happy-dom.js';
import {describe, expect, it} from 'vitest';
import {renderMarkdown} from './render.js';
import {closeOpenMarks} from './unfinished-marks.js';

const draw = (text: string): string => {
  const host = document.createElement('div');
  host.append(renderMarkdown(text));
  return host.innerHTML.replace(/^<p>|<\/p>\s*$/g, '');
};
/** `[…]` stands for strong, `{…}` for emphasis. */
const short = (html: string): string =>
  html
    .replace(/<strong>(.*?)<\/strong>/g, '[$1]')
    .replace(/<em>(.*?)<\/em>/g, '{$1}')
    .replace(/<\/?s>/g, '~');

const PLACEMENTS: readonly (readonly [string, string])[] = [
  ['**注意：**正文', '[注意：]正文'],
  ['含**「重点」**内容 普通**粗体**文字', '含[「重点」]内容 普通[粗体]文字'],
  ['读**《红楼梦》**，再读*《史记》*。', '读[《红楼梦》]，再读{《史记》}。'],
  ['他说**“你好”**然后走了', '他说[“你好”]然后走了'],
  ['**等等……**然后', '[等等……]然后'],
  ['是**（一）**、**（二）**和**三！**四', '是[（一）]、[（二）]和[三！]四'],
  ['这是**重点（english）**text', '这是[重点（english）]text'],
  ['これは**テスト。**次は*「例」*です', 'これは[テスト。]次は{「例」}です'],
  ['**"안녕"**은 **사과(apple)**를 *[책](https://a.example)*에', '["안녕"]은 [사과(apple)]를'],
  ['**⚠️ 注意**正文，完成**✅**了', '[⚠️ 注意]正文，完成[✅]了'],
  ['***「強調」***です', '{[「強調」]}です'],
  ['~~「旧」~~新', '~「旧」~新'],
  ['__注意：__正文', '[注意：]正文'],
  ['**หมายเหตุ:**ข้อความ', '[หมายเหตุ:]ข้อความ'],
];

describe('marks in languages without spaces', () => {
  it.each(PLACEMENTS)('%s', (text, expected) => {
    expect(short(draw(text))).toContain(expected);
  });

  it.each(PLACEMENTS)('%s never shows its marks while it arrives', text => {
    for (let length = 1; length < text.length; length += 1) {
      expect(draw(closeOpenMarks(text.slice(0, length))).replace(/<[^>]*>/g, '')).not.toMatch(/[*_~]/);
    }
  });
});

describe('marks elsewhere', () => {
  it.each([
    ['**Note:**text', '**Note:**text'],
    ['a snake_case_name and 变量_名_测试', 'a snake_case_name and 变量_名_测试'],
    ['**Done!**🎉', '[Done!]🎉'],
    ['2 * 3 * 4 and a*b', '2 * 3 * 4 and a*b'],
    ['a**b**c', 'a[b]c'],
  ])('stay as they are read everywhere: %s', (text, expected) => {
    expect(short(draw(text))).toBe(expected);
  });
});
