// @vitest-environment node
/** The README of the client names places; each of them is there. */
import {existsSync, readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {expect, it} from 'vitest';

const FRONTEND = fileURLToPath(new URL('..', import.meta.url));
const text = readFileSync(`${FRONTEND}README.md`, 'utf8');

/** Whether a module defines the name, as a declaration or as a member of a class; to use it is not enough. */
function defines(file: string, name: string): boolean {
  const word = `${name}(?![\\w$])`;
  const declaration = `^(?:export )?(?:async )?(?:function\\*?|class|const|type|interface) ${word}`;
  const member = `^ {2}(?:(?:protected|override|static|readonly|async|get|\\*) ?)*${word}(?:<[^>]*>)?(?:\\(.*[{(]$| = |: )`;
  return new RegExp(`(?:${declaration}|${member})`, 'm').test(readFileSync(FRONTEND + file, 'utf8'));
}

const rows = [
  ...text.matchAll(/^\| (?<question>[^|]+) \| \[(?<label>[^\]]+)\]\((?<file>[^)]+)\) \| (?<symbols>.+) \|$/gm),
].map(match => match.groups as Readonly<Record<'question' | 'label' | 'file' | 'symbols', string>>);

it('has answers to where things are', () => {
  expect(rows.length).toBeGreaterThanOrEqual(50);
  const [table = ''] = text.split('## Where is …').slice(1);
  expect(rows).toHaveLength(table.match(/^\| (?!Where is|---)/gm)?.length ?? 0);
});

it.each(rows)('answers truly where is $question', ({label, file, symbols}) => {
  expect([label, `src/${label}`]).toContain(file);
  const names = symbols.split(', ').map(symbol => symbol.slice(1, -1));
  expect(names.filter(name => !defines(file, name))).toEqual([]);
});

const named = [...text.matchAll(/\[`(?<name>[^`]+)`\]\((?<file>src\/[^)]+)\)/g)].map(
  match => match.groups as Readonly<Record<'name' | 'file', string>>,
);

it.each(named)('names $name in $file, which defines it', ({name, file}) => {
  expect(defines(file, name)).toBe(true);
});

it('links only to what is there', () => {
  const targets = [...text.matchAll(/\]\((?!https:)([^)#]+)/g)].map(([, target = '']) => target);
  expect(targets.filter(target => !existsSync(FRONTEND + target))).toEqual([]);
});
