/** Builds the page for React 18 and 19: `node build.mjs VITE OUT`, development builds, because only they warn. */
import {mkdir, rm, writeFile} from 'node:fs/promises';
import {join, resolve} from 'node:path';
import {pathToFileURL} from 'node:url';

const [vitePath, out] = process.argv.slice(2);
const {build} = await import(pathToFileURL(resolve(vitePath)));
const here = import.meta.dirname;
process.env.NODE_ENV = 'development';

for (const version of ['18', '19']) {
  const folder = join(out, version);
  await rm(folder, {recursive: true, force: true});
  await mkdir(folder, {recursive: true});
  await build(settings(version, folder, 'client'));
  await build(settings(version, folder, 'server'));
  const {markup} = await import(pathToFileURL(join(folder, 'server.js')));
  await writeFile(join(folder, 'index.html'), page('', ''));
  // As a framework serves it: markup first, the chat's script in the head, the page's own script last.
  await writeFile(join(folder, 'hydrated.html'), page(markup, '<script async src="/dist/chatkit.js"></script>'));
}

function settings(version, folder, entry) {
  const isServer = entry === 'server';
  const suffix = version === '18' ? '-18' : '';
  const from = name => join(here, 'node_modules', `${name}${suffix}`);
  return {
    root: here,
    configFile: false,
    logLevel: 'warn',
    mode: 'development',
    define: isServer ? {} : {'process.env.NODE_ENV': '"development"'},
    oxc: {jsx: {runtime: 'automatic', development: false}},
    resolve: {
      alias: [
        {find: /^react-dom(?=\/|$)/, replacement: from('react-dom')},
        {find: /^react(?=\/|$)/, replacement: from('react')},
      ],
    },
    ssr: {noExternal: true},
    build: {
      outDir: folder,
      emptyOutDir: false,
      minify: false,
      target: 'es2022',
      ssr: isServer ? join(here, 'server.jsx') : false,
      ...(isServer
        ? {rollupOptions: {output: {entryFileNames: 'server.js'}}}
        : {lib: {entry: join(here, 'client.jsx'), formats: ['es'], fileName: () => 'client.js'}}),
    },
  };
}

function page(markup, script) {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>React</title>
<link rel="stylesheet" href="/page.css">${script}</head>
<body><div id="root">${markup}</div><script type="module" src="client.js"></script></body></html>`;
}
