// Places of all that is drawn in the gallery, in a font that comes with the client: they are the same on every machine.
async ({fonts, timeoutMs}) => {
  const deadline = performance.now() + timeoutMs;
  const frame = () => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  const until = async (what, holds) => {
    for (;;) {
      const value = await holds();
      if (value) return value;
      if (performance.now() > deadline) throw new Error(`the gallery did not come to rest: ${what}`);
      await frame();
    }
  };
  const gallery = await until('no gallery', () => document.querySelector('parlor-widget-gallery'));
  const root = await until('no widgets', () => gallery.shadowRoot?.querySelector('article') && gallery.shadowRoot);
  if (!document.fonts.check('16px Ruler')) {
    for (const [weight, url] of Object.entries(fonts)) {
      document.fonts.add(await new FontFace('Ruler', `url(${url})`, {weight}).load());
    }
  }
  if (!gallery.ruler) {
    gallery.ruler = new CSSStyleSheet();
    gallery.ruler.replaceSync(`:host {--chatkit-font: Ruler !important; --chatkit-font-mono: Ruler !important;
      text-rendering: geometricPrecision} *, *::before {animation: none !important; transition: none !important}`);
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, gallery.ruler];
  }
  const insideOf = function* (parent) {
    for (const element of parent.querySelectorAll('*')) {
      yield element;
      if (element.shadowRoot) yield* insideOf(element.shadowRoot);
    }
  };
  // What nobody sees, and what is inside of a drawing, has no place of its own.
  const hasPlace = element => !element.closest('svg svg, svg *, .visually-hidden, .sizer, style, option');
  const measure = () => {
    const boxes = {};
    for (const article of root.querySelectorAll('section:first-of-type article')) {
      const stage = article.querySelector('.stage');
      const from = stage.getBoundingClientRect();
      const found = [];
      for (const element of insideOf(stage)) {
        if (!hasPlace(element)) continue;
        const {left, top, width, height} = element.getBoundingClientRect();
        if (width === 0 && height === 0) continue;
        const kind = [element.localName, ...element.classList].join('.');
        found.push([kind, ...[left - from.left, top - from.top, width, height].map(value => Math.round(value * 10) / 10)]);
      }
      boxes[article.dataset.name] = found;
    }
    return boxes;
  };
  await until('parts are missing', () => {
    const all = [...insideOf(root)];
    const has = selector => all.some(element => element.matches(selector));
    return has('.plot') && has('parlor-markdown') && has('[aria-haspopup]') && !has('.chart-room, .icon:empty');
  });
  let before = '';
  return until('it moves', async () => {
    await frame();
    const boxes = measure();
    const now = JSON.stringify(boxes);
    if (now === before) return boxes;
    before = now;
    return null;
  });
}
