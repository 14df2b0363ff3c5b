import {readdirSync} from 'node:fs';
import {pathToFileURL} from 'node:url';
import {defineConfig} from 'vitest/config';
import {coreBundle, publishing, smallMarkdown, smallTemplates} from './bundles.js';

/** Parts by name, as sources. */
function partsOfTests(): Readonly<Record<string, string>> {
  const large = ['highlight.ts', 'math.ts'];
  const names = readdirSync('src/parts')
    .filter(file => !large.includes(file))
    .map(file => file.slice(0, -3));
  return Object.fromEntries(names.map(name => [name, pathToFileURL(`src/parts/${name}.ts`).href]));
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
      outDir: '../static/dist',
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
    test: {
      environment: 'happy-dom',
      include: ['src/**/*.test.ts'],
      // As it is built: with the platform in place of its packages.
      server: {deps: {inline: ['markdown-it']}},
    },
  };
});
