/** Mounts the page: `?how=plain|strict|hydrated`, and the chat's script `?script=before|late`. */
import {StrictMode} from 'react';
import {createRoot, hydrateRoot} from 'react-dom/client';
import {App} from './app.jsx';

const query = new URL(location.href).searchParams;
const root = document.querySelector('#root');

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
