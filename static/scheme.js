// A classic script, so that it runs before the first paint. The key is also in frontend/src/page/memory.ts.
(() => {
  try {
    const scheme = localStorage.getItem('parlor.scheme');
    if (scheme === 'light' || scheme === 'dark') document.documentElement.dataset.scheme = scheme;
  } catch {
    // Storage is blocked: the system's scheme it is.
  }
})();
