/** Generates the lazy parts with Lucide's icons from its npm package: a path per icon, in files of similar size. */
import {createHash} from 'node:crypto';
import {dirname, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import * as lucide from 'lucide';
import {LUCIDE_PARTS, lucidePartOf, toLucideKey} from './src/icons/lucide-names.js';

/** The folder of the package, with its licence. */
export const LUCIDE_FOLDER = resolve(dirname(fileURLToPath(import.meta.url)), 'node_modules/lucide');

type Shape = readonly [tag: string, attributes: Readonly<Record<string, string | number | undefined>>];

export interface LucideFile {
  readonly name: string;
  readonly fileName: string;
  readonly code: string;
}

/** Builds the files, deterministically for a version of the package. */
export function buildLucideFiles(): readonly LucideFile[] {
  const drawings = readDrawings();
  return LUCIDE_PARTS.map(name => {
    const paths = [...drawings].filter(([key]) => lucidePartOf(key) === name);
    const code = `export const icons=new Map(Object.entries(JSON.parse('${JSON.stringify(Object.fromEntries(paths))}')));\n`;
    const hash = createHash('sha256').update(code).digest('hex').slice(0, 8);
    return {name, fileName: `parts/${name}-${hash}.js`, code};
  });
}

/** Returns the path of every icon by key, under its older names as well. */
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
      return checkPath(fromOrigin(String(attributes.d)));
    case 'circle':
    case 'ellipse':
      return checkPath(
        `M${round(number('cx') - rx)} ${number('cy')}a${rx} ${ry} 0 1 0 ${2 * rx} 0a${rx} ${ry} 0 1 0 ${-2 * rx} 0`,
      );
    case 'line':
      return checkPath(`M${number('x1')} ${number('y1')}L${number('x2')} ${number('y2')}`);
    case 'polyline':
    case 'polygon':
      return checkPath(`M${String(attributes.points).trim()}${tag === 'polygon' ? 'z' : ''}`);
    case 'rect':
      return checkPath(toRectangle(number('x'), number('y'), number('width'), number('height'), rx, ry));
    default:
      throw new Error(`Lucide has a shape that the build does not know: ${tag}.`);
  }
}

function toRectangle(x: number, y: number, width: number, height: number, rx: number, ry: number): string {
  const [a, b] = [Math.min(rx, width / 2), Math.min(ry, height / 2)];
  const [across, down] = [round(width - 2 * a), round(height - 2 * b)];
  const corner = (dx: number, dy: number): string => (a > 0 ? `a${a} ${b} 0 0 1 ${dx} ${dy}` : '');
  return (
    `M${round(x + a)} ${y}h${across}${corner(a, b)}v${down}${corner(-a, b)}h${-across}${corner(-a, -b)}` +
    `v${-down}${corner(a, -b)}z`
  );
}

const NUMBER = '(-?(?:\\d+\\.?\\d*|\\.\\d+))';
const START = new RegExp(`^m\\s*${NUMBER}[\\s,]*${NUMBER}[\\s,]*`);

/** Makes a relative start absolute, since in a joined path it would be relative to the previous shape. */
function fromOrigin(path: string): string {
  if (!path.startsWith('m')) return path;
  const start = START.exec(path);
  if (!start) throw new Error(`Lucide has a path that starts in an unknown way: ${path}.`);
  const rest = path.slice(start[0].length);
  // Coordinates that follow a relative start are relative lines.
  return `M${start[1]} ${start[2]}${/^[-.\d]/.test(rest) ? 'l' : ''}${rest}`;
}

/** Checks a path, which is written into a quoted string of a script. */
function checkPath(path: string): string {
  if (!/^M[\w\s.,+-]*$/i.test(path)) throw new Error(`Lucide has a path that is none: ${path}.`);
  return path;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
