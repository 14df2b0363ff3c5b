// Measures the boxes of all elements in the gallery, in a font that comes with the client, for the same result everywhere.
async ({fonts, timeoutMs}) => {
  const deadline = performance.now() + timeoutMs;
  const frame = () => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  const waitUntil = async (problem, condition) => {
    for (;;) {
      const value = await condition();
      if (value) return value;
      if (performance.now() > deadline) throw new Error(`the gallery did not come to rest: ${problem}`);
      await frame();
    }
  };
  const gallery = await waitUntil('no gallery', () => document.querySelector('parlor-widget-gallery'));
  const root = await waitUntil('no widgets', () => gallery.shadowRoot?.querySelector('article') && gallery.shadowRoot);
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
  const descendantsOf = function* (parent) {
    for (const element of parent.querySelectorAll('*')) {
      yield element;
      if (element.shadowRoot) yield* descendantsOf(element.shadowRoot);
    }
  };
  // Hidden elements and parts of drawings are left out.
  const isMeasured = element => !element.closest('svg svg, svg *, .visually-hidden, .sizer, style, option');
  const boxesIn = (stage, parent) => {
    const from = stage.getBoundingClientRect();
    const boxes = [];
    for (const element of descendantsOf(parent)) {
      if (!isMeasured(element)) continue;
      const {left, top, width, height} = element.getBoundingClientRect();
      if (width === 0 && height === 0) continue;
      const kind = [element.localName, ...element.classList].join('.');
      boxes.push([kind, ...[left - from.left, top - from.top, width, height].map(value => Math.round(value * 10) / 10)]);
    }
    return boxes;
  };
  const measure = () => {
    const boxes = {};
    for (const [index, section] of root.querySelectorAll('section').entries()) {
      for (const article of section.querySelectorAll('article')) {
        const stage = article.querySelector('.stage');
        // Widgets of different use cases may have the same name.
        const group = index === 0 ? '' : `${section.querySelector('h2').textContent.trim()}: `;
        boxes[group + article.dataset.name] = boxesIn(stage, stage);
      }
    }
    return boxes;
  };
  const whenSettled = readBoxes => {
    let before = '';
    return waitUntil('it moves', async () => {
      await frame();
      const boxes = readBoxes();
      const now = JSON.stringify(boxes);
      if (now === before) return boxes;
      before = now;
      return null;
    });
  };
  /** Measures the first popup of a component, opened with enough room below it, and closes it again. */
  const measureOpen = async name => {
    const article = root.querySelector(`section:first-of-type article[data-name=${name}]`);
    const stage = article.querySelector('.stage');
    const opener = [...descendantsOf(stage)].find(element => element.matches('[aria-haspopup]:not(:disabled)'));
    opener.scrollIntoView({block: 'start'});
    opener.click();
    const findPopover = () => [...descendantsOf(stage)].find(element => element.matches(':popover-open'));
    const popover = await waitUntil('no popup', findPopover);
    const boxes = await whenSettled(() => boxesIn(stage, popover));
    opener.click();
    return boxes;
  };
  await waitUntil('parts are missing', () => {
    const all = [...descendantsOf(root)];
    const has = selector => all.some(element => element.matches(selector));
    return has('.plot') && has('parlor-markdown') && has('[aria-haspopup]') && !has('.chart-room, .icon:empty');
  });
  const boxes = await whenSettled(measure);
  for (const name of ['Select', 'DatePicker']) boxes[`${name}, open`] = await measureOpen(name);
  return boxes;
}
