/** Mounts a page: `?page=workspace`, or else the small one; `?how=plain|strict|hydrated`; its script `?script=before|late`. */
import {StrictMode} from 'react';
import {createRoot, hydrateRoot} from 'react-dom/client';
import {App as Small} from './app.jsx';
import {Workspace} from './workspace.jsx';

const query = new URL(location.href).searchParams;
const root = document.querySelector('#root');
const App = query.get('page') === 'workspace' ? Workspace : Small;

if (query.get('script') === 'before') await addScript();
if (query.get('how') === 'hydrated') {
  hydrateRoot(root, <App />, {
    onRecoverableError: error => console.error(`recovered: ${error.message}`),
  });
} else {
  createRoot(root).render(query.get('how') === 'strict' ? <StrictMode children={<App />} /> : <App />);
}
if (query.get('script') === 'late') setTimeout(addScript, 200);

function addScript() {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    Object.assign(script, {src: '/dist/chatkit.js', async: true, onload: resolve, onerror: reject});
    document.head.append(script);
  });
}
