// Returns duplicate ids, broken references, missing names, small targets, overflow and cut controls in `chat`.
() => {
    const found = {ids: [], references: [], names: [], targets: [], wide: [], cut: []};
    const visible = element => element.checkVisibility({opacityProperty: false, visibilityProperty: true});
    const rootsOf = function* (element) {
        if (!element.shadowRoot) return;
        yield element.shadowRoot;
        for (const child of element.shadowRoot.querySelectorAll('*')) yield* rootsOf(child);
    };
    for (const root of rootsOf(chat)) {
        const where = element => `${root.host.localName} ${element.outerHTML.slice(0, 120)}`;
        const ids = [...root.querySelectorAll('[id]')].map(({id}) => id);
        found.ids.push(...ids.filter((id, at) => ids.indexOf(id) !== at).map(id => `${root.host.localName}#${id}`));
        for (const name of ['aria-labelledby', 'aria-describedby', 'aria-controls', 'aria-activedescendant', 'for']) {
            for (const each of root.querySelectorAll(`[${name}]`)) {
                for (const id of each.getAttribute(name).split(/\s+/)) if (!ids.includes(id)) found.references.push(where(each));
            }
        }
        for (const each of root.querySelectorAll('button, [role=button], input, textarea, select, [role=option], summary')) {
            if (!visible(each) || each.matches('[type=checkbox]:disabled')) continue;
            const label = [each.getAttribute('aria-label'), each.textContent, each.labels?.[0]?.textContent, each.placeholder,
                each.getAttribute('aria-labelledby')];
            if (!label.some(text => text?.trim())) found.names.push(where(each));
            if (each.tabIndex >= 0 && each.type === 'file') found.names.push(`in the order of Tab: ${where(each)}`);
            if (getComputedStyle(each).display === 'inline' || each.closest('.cites')) continue;  // a target in a sentence
            // The label is part of the target.
            const {width, height} = (each.labels?.[0] ?? each).getBoundingClientRect();
            const own = each.getBoundingClientRect();
            if (Math.max(width, own.width) < 24 || Math.max(height, own.height) < 24)
                found.targets.push(`${Math.round(width)}x${Math.round(height)} ${where(each)}`);
        }
    }
    const edge = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth > edge) found.wide.push(`the page: ${document.documentElement.scrollWidth}`);
    for (const root of rootsOf(chat)) {
        for (const each of root.querySelectorAll('button, input, textarea, select, [role=menu], [role=listbox], [role=dialog]')) {
            const {left, right, width} = each.getBoundingClientRect();
            let box = each;
            const inOwnScroller = () => {
                for (; box; box = box.parentElement ?? box.getRootNode().host) {
                    if (['auto', 'scroll'].includes(getComputedStyle(box).overflowX) && box.scrollWidth > box.clientWidth) return true;
                }
                return false;
            };
            if (width > 1 && visible(each) && (left < -1 || right > edge + 1) && !inOwnScroller())
                found.cut.push(`${root.host.localName} ${Math.round(left)}..${Math.round(right)} ${each.outerHTML.slice(0, 120)}`);
        }
    }
    const log = document.querySelector('openai-chatkit').shadowRoot.querySelector('parlor-messages')?.shadowRoot.querySelector('.scroller');
    if (log && log.scrollWidth > log.clientWidth) found.wide.push(`the transcript: ${log.scrollWidth} > ${log.clientWidth}`);
    return found;
}
