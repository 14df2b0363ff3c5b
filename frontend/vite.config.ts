import {existsSync, readdirSync} from 'node:fs';
import {pathToFileURL} from 'node:url';
import {defineConfig} from 'vitest/config';
import {coreBundle, publishing, smallMarkdown, smallTemplates} from './bundles.js';

const OUT = '../static/dist';

const TESTS = ['src/**/*.test.ts'];
/** Tests that need a process of their own: they run a build, or pass platform errors between contexts. */
const ISOLATED_TESTS = ['bundles', 'element', 'composer-suggestions'].map(name => `src/**/${name}.test.ts`);

/** The source modules of the parts, by name. */
function buildTestParts(): Readonly<Record<string, string>> {
  const large = ['highlight.ts', 'math.ts'];
  const names = readdirSync('src/parts')
    .filter(file => !large.includes(file))
    .map(file => file.slice(0, -3));
  return Object.fromEntries(names.map(name => [name, pathToFileURL(`src/parts/${name}.ts`).href]));
}

/** The lazy parts with icons, the only ones the page uses; the element's build, which runs first, has written them. */
function findPageParts(): Readonly<Record<string, string>> {
  const files = existsSync(`${OUT}/parts`) ? readdirSync(`${OUT}/parts`) : [];
  const named = files.map(file => [/^(icons|lucide-[0-9a-f])-.*\.js$/.exec(file)?.[1], `parts/${file}`]);
  return Object.fromEntries(named.filter(([name]) => name !== undefined));
}

/**
 * `vite build` builds the lazy parts and then `chatkit.js`, which defines the element and works as classic, async,
 * deferred and module script (hence IIFE); with `--mode page` it builds `page.js`, the page around the element.
 */
export default defineConfig(({mode}) => {
  const isPage = mode === 'page';
  return {
    plugins: [smallMarkdown(), smallTemplates(), ...(isPage ? [] : [coreBundle()]), publishing()],
    build: {
      outDir: OUT,
      // The page's build runs second and keeps the files of the first one.
      emptyOutDir: !isPage,
      target: 'es2022',
      sourcemap: true,
      lib: isPage
        ? {entry: 'src/page/page.ts', formats: ['es'], fileName: () => 'page.js'}
        : {entry: 'src/define.ts', formats: ['iife'], name: 'ParlorChatKit', fileName: () => 'chatkit.js'},
    },
    // Tests load lazy parts from source; the tests of the large ones provide them themselves.
    ...(mode === 'test' ? {define: {__PARLOR_PARTS__: JSON.stringify(buildTestParts())}} : {}),
    ...(isPage ? {define: {__PARLOR_PARTS__: JSON.stringify(findPageParts())}} : {}),
    test: {
      environment: 'happy-dom',
      projects: [
        {extends: true, test: {name: 'together', pool: 'vmThreads', include: TESTS, exclude: ISOLATED_TESTS}},
        {extends: true, test: {name: 'apart', pool: 'forks', include: ISOLATED_TESTS}},
      ],
      setupFiles: ['test-setup.ts'],
      testTimeout: 30_000,
      hookTimeout: 30_000,
      // Inlined, so that its dependencies are replaced as in the build.
      server: {deps: {inline: ['markdown-it']}},
    },
  };
});
