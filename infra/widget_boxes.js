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
  const boxesIn = (stage, parent) => {
    const from = stage.getBoundingClientRect();
    const found = [];
    for (const element of insideOf(parent)) {
      if (!hasPlace(element)) continue;
      const {left, top, width, height} = element.getBoundingClientRect();
      if (width === 0 && height === 0) continue;
      const kind = [element.localName, ...element.classList].join('.');
      found.push([kind, ...[left - from.left, top - from.top, width, height].map(value => Math.round(value * 10) / 10)]);
    }
    return found;
  };
  const measure = () => {
    const boxes = {};
    for (const [index, section] of root.querySelectorAll('section').entries()) {
      for (const article of section.querySelectorAll('article')) {
        const stage = article.querySelector('.stage');
        // Use cases may call their widgets alike.
        const group = index === 0 ? '' : `${section.querySelector('h2').textContent.trim()}: `;
        boxes[group + article.dataset.name] = boxesIn(stage, stage);
      }
    }
    return boxes;
  };
  const rest = measured => {
    let before = '';
    return until('it moves', async () => {
      await frame();
      const boxes = measured();
      const now = JSON.stringify(boxes);
      if (now === before) return boxes;
      before = now;
      return null;
    });
  };
  /** Opens the first popup of a component with room below it, and closes it again. */
  const opened = async name => {
    const article = root.querySelector(`section:first-of-type article[data-name=${name}]`);
    const stage = article.querySelector('.stage');
    const opener = [...insideOf(stage)].find(element => element.matches('[aria-haspopup]:not(:disabled)'));
    opener.scrollIntoView({block: 'start'});
    opener.click();
    const popover = await until('no popup', () => [...insideOf(stage)].find(element => element.matches(':popover-open')));
    const boxes = await rest(() => boxesIn(stage, popover));
    opener.click();
    return boxes;
  };
  await until('parts are missing', () => {
    const all = [...insideOf(root)];
    const has = selector => all.some(element => element.matches(selector));
    return has('.plot') && has('parlor-markdown') && has('[aria-haspopup]') && !has('.chart-room, .icon:empty');
  });
  const boxes = await rest(measure);
  for (const name of ['Select', 'DatePicker']) boxes[`${name}, open`] = await opened(name);
  return boxes;
}
