import {existsSync, readdirSync} from 'node:fs';
import {pathToFileURL} from 'node:url';
import {defineConfig} from 'vitest/config';
import {coreBundle, publishing, smallMarkdown, smallTemplates} from './bundles.js';

const OUT = '../static/dist';

const TESTS = ['src/**/*.test.ts'];
/** Files that need a process of their own: they build, or hand errors of the platform over the border of a context. */
const APART = ['bundles', 'element', 'composer-suggestions'].map(name => `src/**/${name}.test.ts`);

/** Parts by name, as sources. */
function partsOfTests(): Readonly<Record<string, string>> {
  const large = ['highlight.ts', 'math.ts'];
  const names = readdirSync('src/parts')
    .filter(file => !large.includes(file))
    .map(file => file.slice(0, -3));
  return Object.fromEntries(names.map(name => [name, pathToFileURL(`src/parts/${name}.ts`).href]));
}

/** Of the lazy parts, the page takes icons alone; the element's build, which comes first, has made them. */
function partsOfPage(): Readonly<Record<string, string>> {
  const files = existsSync(`${OUT}/parts`) ? readdirSync(`${OUT}/parts`) : [];
  const named = files.map(file => [/^(icons|lucide-[0-9a-f])-.*\.js$/.exec(file)?.[1], `parts/${file}`]);
  return Object.fromEntries(named.filter(([name]) => name !== undefined));
}

/**
 * `vite build` makes the lazy parts and then `chatkit.js`, which defines the element and works as classic, async,
 * deferred and module script (hence IIFE); with `--mode page` it makes `page.js`, the page around the element.
 */
export default defineConfig(({mode}) => {
  const isPage = mode === 'page';
  return {
    plugins: [smallMarkdown(), smallTemplates(), ...(isPage ? [] : [coreBundle()]), publishing()],
    build: {
      outDir: OUT,
      // The page build comes second and keeps what the first one made.
      emptyOutDir: !isPage,
      target: 'es2022',
      sourcemap: true,
      lib: isPage
        ? {entry: 'src/page/page.ts', formats: ['es'], fileName: () => 'page.js'}
        : {entry: 'src/define.ts', formats: ['iife'], name: 'ParlorChatKit', fileName: () => 'chatkit.js'},
    },
    // Views are tested with the elements they fetch; the large parts are handed in by their tests.
    ...(mode === 'test' ? {define: {__PARLOR_PARTS__: JSON.stringify(partsOfTests())}} : {}),
    ...(isPage ? {define: {__PARLOR_PARTS__: JSON.stringify(partsOfPage())}} : {}),
    test: {
      environment: 'happy-dom',
      projects: [
        {extends: true, test: {name: 'together', pool: 'vmThreads', include: TESTS, exclude: APART}},
        {extends: true, test: {name: 'apart', pool: 'forks', include: APART}},
      ],
      setupFiles: ['test-setup.ts'],
      testTimeout: 30_000,
      hookTimeout: 30_000,
      // As it is built: with the platform in place of its packages.
      server: {deps: {inline: ['markdown-it']}},
    },
  };
});
