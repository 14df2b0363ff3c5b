import {defineConfig} from 'vitest/config';

/**
 * Two bundles go to static/dist: `chatkit.js`, which defines the element and works as classic, async, deferred and
 * module script (hence IIFE), and, in mode `page`, `page.js`, the page around it.
 */
export default defineConfig(({mode}) => {
  const isPage = mode === 'page';
  return {
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
    test: {
      environment: 'happy-dom',
      include: ['src/**/*.test.ts'],
    },
  };
});
