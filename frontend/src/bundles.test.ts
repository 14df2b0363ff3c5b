// @vitest-environment node
import {createHash} from 'node:crypto';
import {mkdtemp, readdir, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {gunzipSync} from 'node:zlib';
import {build} from 'vite';
import {afterAll, beforeAll, describe, expect, it, vi} from 'vitest';
import {LUCIDE_PARTS, lucidePartOf, toLucideKey} from './icons/lucide-names.js';

interface Listed {
  readonly name: string;
  readonly bytes: number;
  readonly gzip_bytes: number;
  readonly integrity: string;
}

describe('the build', () => {
  let dir = '';
  let files: readonly Listed[] = [];
  const read = (name: string) => readFile(join(dir, name), 'utf8');

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'chatkit-build-'));
    // What is published, not the longer thing that is made for development.
    vi.stubEnv('NODE_ENV', 'production');
    await build({logLevel: 'silent', build: {outDir: dir}});
    files = (JSON.parse(await read('manifest.json')) as {files: readonly Listed[]}).files;
  }, 60_000);
  afterAll(async () => {
    vi.unstubAllEnvs();
    await rm(dir, {recursive: true, force: true});
  });

  it('publishes the core under a versioned name and under one that never changes', async () => {
    const versioned = files.find(({name}) => /^chatkit-\d+\.\d+\.\d+-[0-9a-f]{10}\.js$/.test(name));
    expect(versioned).toBeDefined();
    expect(await read('chatkit.js')).toBe(await read(versioned?.name ?? ''));
    const map = JSON.parse(await read(`${versioned?.name}.map`)) as {sources: readonly string[]};
    expect(map.sources.some(source => source.endsWith('src/element.ts'))).toBe(true);
  });

  it('keeps the core small', () => {
    const core = files.find(({name}) => name === 'chatkit.js');
    expect(core?.gzip_bytes).toBeLessThanOrEqual(126_200);
  });

  it('lists every script with its integrity value', async () => {
    const scripts = (await readdir(dir, {recursive: true})).filter(name => name.endsWith('.js'));
    expect(files.map(({name}) => name)).toEqual(expect.arrayContaining(scripts));
    for (const {name, bytes, integrity} of files) {
      const content = await readFile(join(dir, name));
      expect(content).toHaveLength(bytes);
      expect(integrity).toBe(`sha384-${createHash('sha384').update(content).digest('base64')}`);
    }
  });

  it('packs every script for servers that send it so', async () => {
    for (const {name, gzip_bytes} of files.filter(({name}) => name.endsWith('.js'))) {
      const packed = await readFile(join(dir, `${name}.gz`));
      expect(packed).toHaveLength(gzip_bytes);
      expect(gunzipSync(packed).equals(await readFile(join(dir, name)))).toBe(true);
    }
  });

  it('makes the core a classic script without globals, and names the lazy parts in it', async () => {
    const core = await read('chatkit.js');
    expect(core).not.toMatch(/import\.meta|^export /m);
    expect(core).not.toContain('ParlorChatKit');
    for (const part of ['math', 'highlight', 'history', 'dictation']) {
      const name = files.find(file => file.name.startsWith(`parts/${part}-`))?.name;
      expect(core).toContain(name);
    }
  });

  it('gives every part one file, which takes Lit and the strings from the core', async () => {
    const small = files.filter(({name}) => /^parts\/(?!math|highlight|lucide|icons)/.test(name));
    expect(small.length).toBeGreaterThan(5);
    for (const {name} of small) {
      const code = await read(name);
      expect(code, name).not.toMatch(/^import\b|litHtmlVersions|litElementVersions|createTreeWalker/m);
      expect(code, name).toContain('parlor.core');
      expect(code, name).not.toContain('What can I help with today?');
    }
  });

  it('has every icon of Lucide in small files, each where the client looks for it', async () => {
    const icons = new Map<string, ReadonlyMap<string, string>>();
    for (const {name, gzip_bytes} of files.filter(({name}) => name.startsWith('parts/lucide-'))) {
      expect(gzip_bytes, name).toBeLessThan(15_000);
      const code = (await read(name)).replace(/^export const icons=/, 'return ');
      icons.set(/lucide-[0-9a-f]/.exec(name)?.[0] ?? '', new Function(code)() as ReadonlyMap<string, string>);
    }
    expect([...icons.keys()]).toEqual(LUCIDE_PARTS);
    const names = [
      'rocket',
      'trash-2',
      'grid-3x3',
      'a-arrow-down',
      'circle-question-mark',
      'help-circle',
      'home',
      'house',
      'letters',
      'letter-s',
      'arrow-down-0-1',
      'arrow-down-a-z',
    ];
    for (const name of names) {
      const key = toLucideKey(name) ?? '';
      expect(icons.get(lucidePartOf(key))?.get(key), name).toMatch(/^M\d/);
    }
    const all = [...icons.values()].flatMap(each => [...each.values()]);
    expect(all.length).toBeGreaterThan(2_000);
    for (const path of all) expect(path).toMatch(/^M[\w\s.,+-]+$/i);
  });

  it('ships the notices of what it contains', async () => {
    const notices = await read('LICENSES.txt');
    for (const name of ['lit', 'lit-html', 'markdown-it', 'dompurify', 'katex', 'highlight.js', 'lucide']) {
      expect(notices).toMatch(new RegExp(`^${name.replace('.', '\\.')} \\d`, 'm'));
    }
  });

  it('names no address of another origin to fetch from', async () => {
    for (const {name} of files.filter(file => file.name.endsWith('.js'))) {
      expect(await read(name)).not.toMatch(
        /(?:openai|chatgpt|datadoghq|jsdelivr|unpkg|googleapis|gstatic)\.(?:com|net)/,
      );
    }
  });
});
