/** Makes the lazy parts with Lucide's icons out of its npm package: each icon one path, in files of even size. */
import {createHash} from 'node:crypto';
import {dirname, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import * as lucide from 'lucide';
import {LUCIDE_PARTS, lucidePartOf, toLucideKey} from './src/icons/lucide-names.js';

/** Where the package lies, with its licence. */
export const LUCIDE_FOLDER = resolve(dirname(fileURLToPath(import.meta.url)), 'node_modules/lucide');

type Shape = readonly [tag: string, attributes: Readonly<Record<string, string | number | undefined>>];

export interface LucideFile {
  readonly name: string;
  readonly fileName: string;
  readonly code: string;
}

/** The files, the same for the same version of the package. */
export function buildLucideFiles(): readonly LucideFile[] {
  const drawings = readDrawings();
  return LUCIDE_PARTS.map(name => {
    const mine = [...drawings].filter(([key]) => lucidePartOf(key) === name);
    const code = `export const icons=new Map(Object.entries(JSON.parse('${JSON.stringify(Object.fromEntries(mine))}')));\n`;
    const hash = createHash('sha256').update(code).digest('hex').slice(0, 8);
    return {name, fileName: `parts/${name}-${hash}.js`, code};
  });
}

/** Every icon by key, under its older names as well. */
export function readDrawings(): ReadonlyMap<string, string> {
  const drawings = new Map<string, string>();
  for (const [name, shapes] of Object.entries(lucide)) {
    const key = Array.isArray(shapes) ? toLucideKey(name) : undefined;
    if (key === undefined) continue;
    const path = (shapes as readonly Shape[]).map(toPath).join('');
    if ((drawings.get(key) ?? path) !== path) throw new Error(`Lucide has two icons that look up as ${key}.`);
    drawings.set(key, path);
  }
  return drawings;
}

function toPath([tag, attributes]: Shape): string {
  const number = (name: string): number => Number(attributes[name] ?? 0);
  const rx = Number(attributes.r ?? attributes.rx ?? attributes.ry ?? 0);
  const ry = Number(attributes.r ?? attributes.ry ?? rx);
  switch (tag) {
    case 'path':
      return checked(fromOrigin(String(attributes.d)));
    case 'circle':
    case 'ellipse':
      return checked(
        `M${short(number('cx') - rx)} ${number('cy')}a${rx} ${ry} 0 1 0 ${2 * rx} 0a${rx} ${ry} 0 1 0 ${-2 * rx} 0`,
      );
    case 'line':
      return checked(`M${number('x1')} ${number('y1')}L${number('x2')} ${number('y2')}`);
    case 'polyline':
    case 'polygon':
      return checked(`M${String(attributes.points).trim()}${tag === 'polygon' ? 'z' : ''}`);
    case 'rect':
      return checked(toRectangle(number('x'), number('y'), number('width'), number('height'), rx, ry));
    default:
      throw new Error(`Lucide has a shape that the build does not know: ${tag}.`);
  }
}

function toRectangle(x: number, y: number, width: number, height: number, rx: number, ry: number): string {
  const [a, b] = [Math.min(rx, width / 2), Math.min(ry, height / 2)];
  const [across, down] = [short(width - 2 * a), short(height - 2 * b)];
  const corner = (dx: number, dy: number): string => (a > 0 ? `a${a} ${b} 0 0 1 ${dx} ${dy}` : '');
  return (
    `M${short(x + a)} ${y}h${across}${corner(a, b)}v${down}${corner(-a, b)}h${-across}${corner(-a, -b)}` +
    `v${-down}${corner(a, -b)}z`
  );
}

const NUMBER = '(-?(?:\\d+\\.?\\d*|\\.\\d+))';
const START = new RegExp(`^m\\s*${NUMBER}[\\s,]*${NUMBER}[\\s,]*`);

/** A relative start counts from the origin, and would count from the shape before once the two are one path. */
function fromOrigin(path: string): string {
  if (!path.startsWith('m')) return path;
  const start = START.exec(path);
  if (!start) throw new Error(`Lucide has a path that starts in an unknown way: ${path}.`);
  const rest = path.slice(start[0].length);
  // What follows a relative start without a command are relative lines.
  return `M${start[1]} ${start[2]}${/^[-.\d]/.test(rest) ? 'l' : ''}${rest}`;
}

/** It is written between quotes of a script. */
function checked(path: string): string {
  if (!/^M[\w\s.,+-]*$/i.test(path)) throw new Error(`Lucide has a path that is none: ${path}.`);
  return path;
}

function short(value: number): number {
  return Math.round(value * 1000) / 1000;
}
