/** Vite plugins of the build: lazy parts, a versioned core with a size limit, licence notices, and a manifest. */
import {createHash} from 'node:crypto';
import {cp, mkdir, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {basename, dirname, join, relative, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {gzipSync} from 'node:zlib';
import MagicString from 'magic-string';
import {build, type Plugin, parseAst} from 'vite';
import {buildLucideFiles, LUCIDE_FOLDER} from './lucide-parts.js';

const ROOT = dirname(fileURLToPath(import.meta.url));
/** The maximum size of the core, without the lazy parts. */
export const CORE_LIMIT_GZIP_BYTES = 126_200;
const CORE = 'chatkit.js';
const VERSIONED_CORE = /^chatkit-\d[\w.]*-[0-9a-f]{10}\.js(?:\.map)?$/;

/** Folders of the npm packages that this build has bundled. */
const packages = new Set<string>();

const REPLACED_BY_PLATFORM = new Set(['entities', 'linkify-it', 'mdurl', 'punycode.js', 'uc.micro']);

/** Replaces dependencies of the Markdown parser by features of the browser. */
export function smallMarkdown(): Plugin {
  return {
    name: 'parlor-small-markdown',
    enforce: 'pre',
    resolveId: (source, importer) =>
      importer?.includes('/markdown-it/') && REPLACED_BY_PLATFORM.has(source)
        ? resolve(ROOT, 'src/markdown/browser-shims.ts')
        : null,
  };
}

interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

/** Removes indentation and comments from CSS and HTML templates, which minifiers leave alone. */
export function smallTemplates(): Plugin {
  return {
    name: 'parlor-small-templates',
    apply: 'build',
    enforce: 'post',
    transform(code, id) {
      if (!id.startsWith(resolve(ROOT, 'src')) || !/\b(?:css|html|svg)`/.test(code)) return null;
      const edited = new MagicString(code);
      visit(parseAst(code), node => {
        const {tag, quasi} = node as {tag?: {name?: string}; quasi?: {quasis?: readonly SyntaxNode[]}};
        if (node.type !== 'TaggedTemplateExpression' || !quasi?.quasis) return;
        const squeeze = {css: squeezeCss, html: squeezeHtml, svg: squeezeHtml}[tag?.name ?? ''];
        for (const {start, end} of squeeze ? quasi.quasis : []) {
          const text = code.slice(start, end);
          const small = squeeze?.(text) ?? text;
          if (small !== text && text !== '') edited.update(start, end, small);
        }
      });
      return {code: edited.toString(), map: edited.generateMap({hires: true})};
    },
  };
}

function visit(node: unknown, call: (node: SyntaxNode) => void): void {
  if (Array.isArray(node)) for (const child of node) visit(child, call);
  else if (typeof node === 'object' && node !== null) {
    if ('type' in node && 'start' in node) call(node as SyntaxNode);
    for (const child of Object.values(node)) visit(child, call);
  }
}

/** Keeps spaces that may separate: around expressions, and in selectors and values. */
function squeezeCss(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\s+/g, ' ')
    .replace(/ ?([{};,]|(?<= )>(?= )) ?/g, '$1')
    .replace(/(?<=[ :,(])0(?=\.\d)/g, '')
    .replace(/(?<=\([\w-]+): /g, ':')
    .replace(/#([\da-f])\1([\da-f])\2([\da-f])\3\b/gi, '#$1$2$3')
    .replace(/(?<=[{;][\w-]+): /g, ':')
    .replaceAll(';}', '}');
}

/** Replaces line breaks between elements by a space, and removes them before the end of a tag. */
function squeezeHtml(text: string): string {
  return text.replace(/\s*\n\s*(?=>)/g, '').replace(/\s*\n\s*/g, ' ');
}

/** Builds the lazy parts before the core, which needs their file names. */
export function coreBundle(): Plugin {
  let parts: readonly Output[] = [];
  return {
    name: 'parlor-core',
    apply: 'build',
    async config() {
      parts = await buildParts();
      const names = parts.filter(({isEntry}) => isEntry).map(({name, fileName}) => [name, fileName]);
      return {define: {__PARLOR_PARTS__: JSON.stringify(Object.fromEntries(names))}};
    },
    generateBundle: (_options, bundle) => recordPackages(Object.values(bundle)),
    async writeBundle({dir}) {
      if (dir === undefined) return;
      await publishCore(dir);
      await mkdir(join(dir, 'parts'), {recursive: true});
      for (const {fileName, code, source} of parts) await writeFile(join(dir, fileName), code ?? source ?? '');
      await copyMathFonts(join(dir, 'fonts'));
      await writeFile(join(dir, 'LICENSES.txt'), await buildNotices());
    },
  };
}

/** Writes a manifest of all files, with sizes and integrity values. */
export function publishing(): Plugin {
  return {
    name: 'parlor-publishing',
    apply: 'build',
    enforce: 'post',
    async closeBundle() {
      const outDir = this.environment.config.build.outDir;
      await writeManifest(resolve(ROOT, outDir));
    },
  };
}

/** Lets parts import shared modules from the core instead of bundling copies; see `src/shared-with-parts.ts`. */
function coreForParts(): Plugin {
  const PREFIX = '\0core:';
  let shared: ReadonlyMap<string, string> = new Map();
  return {
    name: 'parlor-core-for-parts',
    enforce: 'pre',
    async buildStart() {
      const text = await readFile(resolve(ROOT, 'src/shared-with-parts.ts'), 'utf8');
      const entries = text.matchAll(/^ {2}'?([\w./-]+)'?: \{([\w, ]+)\},$/gm);
      shared = new Map([...entries].map(([, module = '', names = '']) => [module, names]));
      if (!shared.has('lit')) throw new Error('src/shared-with-parts.ts shares no Lit.');
    },
    resolveId(source, importer) {
      if (importer === undefined) return null;
      const path = source.startsWith('.')
        ? relative(ROOT, resolve(dirname(importer), source)).replace(/\.js$/, '.ts')
        : source;
      return shared.has(path) && !importer.includes('/node_modules/') ? PREFIX + path : null;
    },
    load(id) {
      if (!id.startsWith(PREFIX)) return null;
      const path = id.slice(PREFIX.length);
      const core = `globalThis[Symbol.for('parlor.core')][${JSON.stringify(path)}]`;
      return `export const {${shared.get(path)}} = ${core};`;
    },
  };
}

/** Builds every module of `src/parts` into one file; they are written to disk together with the core. */
async function buildParts(): Promise<readonly Output[]> {
  const modules = (await readdir(resolve(ROOT, 'src/parts'))).filter(name => /^[\w-]+\.ts$/.test(name));
  // Separate builds: a common one would create shared chunks, which a browser fetches only after the part.
  const built = await Promise.all(modules.map(buildPart));
  packages.add(LUCIDE_FOLDER);
  return [...built.flat(), ...buildLucideFiles().map(file => ({...file, isEntry: true}))];
}

async function buildPart(module: string): Promise<readonly Output[]> {
  const built = await build({
    root: ROOT,
    configFile: false,
    logLevel: 'warn',
    plugins: [coreForParts(), smallTemplates()],
    build: {
      write: false,
      target: 'es2022',
      sourcemap: true,
      modulePreload: false,
      copyPublicDir: false,
      rolldownOptions: {
        preserveEntrySignatures: 'strict',
        input: {[basename(module, '.ts')]: resolve(ROOT, 'src/parts', module)},
        output: {
          format: 'es',
          entryFileNames: 'parts/[name]-[hash].js',
          chunkFileNames: 'parts/[name]-[hash].js',
          assetFileNames: 'parts/[name]-[hash][extname]',
        },
      },
    },
  });
  if (!('output' in built)) throw new Error(`the lazy part ${module} was not built in one go`);
  recordPackages(built.output);
  return built.output;
}

async function copyMathFonts(target: string): Promise<void> {
  const source = resolve(ROOT, 'node_modules/katex/dist/fonts');
  await mkdir(target, {recursive: true});
  for (const name of await readdir(source)) {
    if (name.endsWith('.woff2')) await cp(join(source, name), join(target, name));
  }
}

/** Publishes the core under a versioned name, and the same bytes as `chatkit.js`, a name that never changes. */
async function publishCore(dir: string): Promise<void> {
  for (const name of await readdir(dir)) if (VERSIONED_CORE.test(name)) await rm(join(dir, name));
  const code = await readFile(join(dir, CORE), 'utf8');
  const size = gzipSync(code, {level: 9}).length;
  if (size > CORE_LIMIT_GZIP_BYTES) {
    throw new Error(
      `${CORE} has ${size} bytes after gzip and may have ${CORE_LIMIT_GZIP_BYTES}: move something to src/parts.`,
    );
  }
  const {version} = JSON.parse(await readFile(resolve(ROOT, 'package.json'), 'utf8')) as {version: string};
  const hash = createHash('sha256').update(code).digest('hex').slice(0, 10);
  const name = `chatkit-${version}-${hash}.js`;
  const note = `/*! chatkit.js of Parlor ${version}, MIT. Notices of what it contains: LICENSES.txt beside this file. */\n`;
  const body = code.replace(/\/\/# sourceMappingURL=.*\s*$/, '');
  const published = `${note}${body.trimEnd()}\n//# sourceMappingURL=${name}.map\n`;
  const map = JSON.parse(await readFile(join(dir, `${CORE}.map`), 'utf8')) as {mappings: string; file?: string};
  // The notice adds a line; in a source map each line ends with a semicolon.
  const shifted = {...map, file: name, mappings: `;${map.mappings}`};
  await rm(join(dir, `${CORE}.map`));
  await writeFile(join(dir, `${name}.map`), JSON.stringify(shifted));
  await writeFile(join(dir, name), published);
  await writeFile(join(dir, CORE), published);
}

/** The fields that are used of a bundled file, a chunk or an asset. */
interface Output {
  readonly fileName: string;
  readonly name?: string | undefined;
  readonly isEntry?: boolean;
  readonly moduleIds?: readonly string[];
  readonly code?: string;
  readonly source?: string | Uint8Array;
}

function recordPackages(outputs: readonly Output[]): void {
  for (const {moduleIds} of outputs) {
    for (const id of moduleIds ?? []) {
      const folder = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0];
      if (folder !== undefined) packages.add(folder);
    }
  }
}

async function buildNotices(): Promise<string> {
  const notices: string[] = [];
  for (const folder of packages) {
    const about = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Record<string, unknown>;
    const file = (await readdir(folder)).find(name => /^licen[cs]e/i.test(name));
    if (file === undefined) throw new Error(`${String(about.name)} has no licence file: its notice cannot be shipped.`);
    const text = (await readFile(join(folder, file), 'utf8')).trim();
    notices.push(`${String(about.name)} ${String(about.version)} (${String(about.license)})\n\n${text}\n`);
  }
  const own = (await readFile(resolve(ROOT, '../LICENSE'), 'utf8')).trim();
  const line = `\n${'-'.repeat(80)}\n\n`;
  return [
    `Parlor's chatkit.js and the files beside it\n\n${own}\n\nThe tag <openai-chatkit> is used for compatibility only: this is no product of OpenAI.\n\nThey contain the following packages.\n`,
    ...notices.sort(),
  ].join(line);
}

async function writeManifest(dir: string): Promise<void> {
  const names = (await readdir(dir, {recursive: true})).filter(name => /\.(?:js|woff2)$/.test(name)).sort();
  const files = await Promise.all(
    names.map(async name => {
      const content = await readFile(join(dir, name));
      const packed = gzipSync(content, {level: 9});
      // The server sends the compressed files directly: a third of the size, without compressing at runtime.
      if (name.endsWith('.js')) await writeFile(join(dir, `${name}.gz`), packed);
      return {
        name,
        bytes: content.length,
        gzip_bytes: packed.length,
        integrity: `sha384-${createHash('sha384').update(content).digest('base64')}`,
      };
    }),
  );
  await writeFile(join(dir, 'manifest.json'), `${JSON.stringify({files}, null, 2)}\n`);
}
