// Returns what is cut off, squashed or on the wrong side in the widgets of a chat.
async (chat, direction) => {
  const hosts = function* (root) {
    for (const element of root.querySelectorAll('*')) {
      if (element.localName === 'parlor-widget') yield element;
      if (element.shadowRoot) yield* hosts(element.shadowRoot);
    }
  };
  const frame = () => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  const widgets = [...hosts(chat.shadowRoot)];
  const all = selector => widgets.flatMap(host => [...host.shadowRoot.querySelectorAll(selector)]);
  const box = element => element.getBoundingClientRect();
  const measure = () => {
    const found = [];
    const claim = (holds, ...what) => holds || found.push(what.join(' '));
    const isMirrored = direction === 'rtl';
    const edge = Math.max(...widgets.map(host => box(host).right)) + 1;
    const start = Math.min(...widgets.map(host => box(host).left)) - 1;
    for (const element of all('.button, .badge, .card-footer, .chart, .legend-item, .chart-note, table')) {
      const {left, right} = box(element);
      if (element.closest('.visually-hidden') || element.closest('.table-scroll table')) continue;
      claim(left >= start && right <= edge, 'out of its widget:', element.className, left, right);
    }
    for (const button of all('.button')) {
      claim(button.scrollWidth <= button.clientWidth + 1, 'narrower than its label:', button.textContent.trim());
    }
    for (const button of all('.card-footer .button')) {
      const label = button.querySelector('.button-label');
      claim(label.scrollWidth <= label.clientWidth + 1, 'a label of the footer is cut:', label.textContent);
    }
    const [badge] = all('.badge');
    claim(getComputedStyle(badge).textOverflow === 'ellipsis', 'no ellipsis');
    claim(getComputedStyle(badge).overflow !== 'visible' && badge.scrollWidth > badge.clientWidth, 'no long badge');
    const sized = (selector, width, height) => {
      const [element] = all(selector);
      const {width: w, height: h} = box(element);
      claim(Math.round(w) === width && (height === undefined || Math.round(h) === height), 'squashed:', selector, w, h);
      return element;
    };
    sized('.row > .box', 40, 24);
    sized('.row > .image', 60, 30);
    const style = getComputedStyle(sized('.row > .divider', 3));
    claim(style.borderInlineStartColor === 'rgb(255, 0, 0)', 'the divider is', style.borderInlineStartColor);
    claim(style.marginInlineStart === '16px' && style.marginInlineEnd === '16px', 'spacing:', style.marginInline);
    const cells = all('th.cell').map(box);
    claim(cells.length === 5, 'cells:', cells.length);
    for (const [index, cell] of cells.slice(1).entries()) {
      claim(cell.width > cells[index].width, 'columns do not grow:', index);
      claim(isMirrored ? cell.right <= cells[index].left + 1 : cell.left >= cells[index].right - 1, 'order of cells');
    }
    const [chevron] = all('svg[data-mirrors]');
    const mirrored = getComputedStyle(chevron).transform;
    claim(mirrored === (isMirrored ? 'matrix(-1, 0, 0, 1, 0, 0)' : 'none'), 'chevron:', mirrored);
    const shown = element => getComputedStyle(element).visibility === 'visible';
    for (const axis of all('.chart-y')) {
      const places = [...axis.querySelectorAll('.y-label')].filter(shown).map(box);
      places.sort((one, other) => one.top - other.top);
      const isFree = places.every(({top}, index) => index === 0 || top >= places[index - 1].bottom - 1);
      claim(isFree, 'numbers of an axis cover one another:', axis.textContent.trim());
    }
    for (const label of all('.x-label, .y-label').filter(shown)) {
      const {left, right, top, bottom} = box(label);
      const around = box(label.closest('.chart'));
      claim(left >= around.left - 1 && right <= around.right + 1, 'cut label:', label.textContent, left, right);
      claim(top >= around.top - 1 && bottom <= around.bottom + 1, 'label above or below its chart:', label.textContent);
    }
    return found;
  };
  // Resize observers draw again.
  for (let left = 30; left > 0 && measure().length > 0; left -= 1) await frame();
  return measure();
}
