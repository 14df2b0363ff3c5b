// Makes twenty edits that keep id, key or name, each drawn before the next; returns the edits and the lost state, if any.
async (host, [widget, seed]) => {
  const root = host.shadowRoot;
  let state = seed * 2654435761;
  const random = () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0;
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
  };
  const pick = list => list[Math.floor(random() * list.length)];
  const listsIn = node => [node.children, ...node.children.flatMap(each => (each.children ? listsIn(each) : []))];
  const edit = tree => {
    // Nothing is moved into the rows of a list.
    const homes = () => listsIn(tree.children.find(({type}) => type !== 'ListView'));
    const list = pick(homes().filter(each => each.length > 0));
    const at = Math.floor(random() * list.length);
    const node = list[at];
    const deed = pick(['wrap', 'move', 'key', 'reorder', 'insert', 'around']);
    if (deed === 'wrap') list[at] = {type: pick(['Col', 'Row', 'Box']), children: [node]};
    else if (deed === 'move') {
      list.splice(at, 1);
      const own = node.children ? listsIn(node) : [];
      const target = pick(homes().filter(each => !own.includes(each)));
      target.splice(Math.floor(random() * (target.length + 1)), 0, node);
    } else if (deed === 'key') node.key = node.type === 'Textarea' ? 'two' : `key ${random()}`;
    else if (deed === 'reorder') list.reverse();
    else if (deed === 'insert') list.splice(at, 0, {type: 'Caption', value: `${random()}`});
    else tree.children.reverse();
    return deed;
  };
  const held = () => {
    const fields = [...root.querySelectorAll('[data-field]')].map(field => [
      field.dataset.field,
      field.type === 'checkbox' ? field.checked : (field.value ?? field.querySelector(':checked')?.value),
      field.parentElement.querySelector(':scope > .face')?.value,
      field.validity?.customError,
    ]);
    const active = root.activeElement;
    return Object.entries({
      fields: fields.sort(),
      focus: [active?.dataset.field ?? active?.closest('.field')?.querySelector('[data-field]')?.dataset.field],
      on: [active?.className, active?.dataset.day, active?.value, active?.selectionStart, active?.selectionEnd],
      open: [...root.querySelectorAll('parlor-widget-popover:popover-open')].map(({role}) => role),
      found: root.querySelectorAll('.option').length,
      rows: root.querySelectorAll('.list-item').length,
    }).map(each => JSON.stringify(each));
  };
  const before = held();
  const tree = structuredClone(widget);
  const done = [];
  for (let count = 0; count < 20; count += 1) {
    done.push(edit(tree));
    host.widget = structuredClone(tree);
    await host.updateComplete;
    await new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    const now = held();
    const lost = before.flatMap((each, index) => (each === now[index] ? [] : [each, now[index]]));
    if (lost.length > 0) return [done.join(', '), ...lost];
  }
  return [];
}
