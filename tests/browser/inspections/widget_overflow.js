// Returns the elements that overflow the card or the root of a widget, and its ancestors that scroll horizontally.
async host => {
  const frame = () => new Promise(done => requestAnimationFrame(() => setTimeout(done)));
  const name = element => `${element.localName}.${element.className}`;
  const measure = () => {
    const found = [];
    const root = host.shadowRoot.querySelector('.root');
    for (let at = host; at; at = at.assignedSlot ?? at.parentNode ?? at.host) {
      const scrolls = at.nodeType === 1 && at.scrollWidth > at.clientWidth + 1 && at.localName !== 'parlor-widget';
      if (scrolls && getComputedStyle(at).overflowX !== 'visible') found.push(`scrolls: ${name(at)}`);
    }
    for (const element of root.querySelectorAll('*')) {
      const isHidden = element.closest('svg, option, .visually-hidden, .sizer, .table-scroll table');
      const inner = element.getBoundingClientRect();
      if (isHidden || inner.width === 0 || inner.height === 0) continue;
      // The frame of an editable text is drawn outside of the text, which keeps its place.
      if (element.matches('.editable')) continue;
      const card = element.parentElement.closest('.card, .root');
      let isClipped = false;
      for (let at = element.parentElement; at !== card; at = at.parentElement) {
        isClipped ||= getComputedStyle(at).overflowX !== 'visible';
      }
      const outer = card.getBoundingClientRect();
      const beyond = Math.max(outer.left - inner.left, inner.right - outer.right);
      if (!isClipped && beyond > 1) found.push(`${Math.round(beyond)} px out: ${name(element)}`);
    }
    return found;
  };
  await host.updateComplete;
  for (let left = 30; left > 0; left -= 1) {
    await frame();
    if (left < 29 && measure().length === 0) break;
  }
  return measure();
}
