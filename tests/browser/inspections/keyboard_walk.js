// Adds `walk` to the gallery's page, which returns the control with the focus and records every action in `walk.sent`.
() => {
    const gallery = document.querySelector('parlor-widget-gallery').shadowRoot;
    const components = gallery.querySelector('section');
    const visited = new Set();
    const inWidgets = selector =>
        [...components.querySelectorAll('parlor-widget')].flatMap(widget => [...widget.shadowRoot.querySelectorAll(selector)]);
    const isSeen = element => {
        const {width, height, top, bottom} = element.getBoundingClientRect();
        return width > 0 && height > 0 && bottom > 0 && top < innerHeight;
    };
    // The style of an element and its neighbours: the focus mark of a button may be drawn on the row that it covers.
    const looks = element =>
        [element, element.nextElementSibling, element.parentElement, element.closest('label')]
            .filter(each => each !== null)
            .map(each => getComputedStyle(each))
            .map(({outlineStyle, outlineWidth, outlineColor, boxShadow, borderColor}) =>
                [outlineStyle, outlineWidth, outlineColor, boxShadow, borderColor].join())
            .join('|');
    const active = () => {
        let element = document.activeElement;
        while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
        return element;
    };
    const kindOf = element => {
        for (const [kind, selector] of [
            ['date', '.date.face'], ['select', '.picker.face'], ['calendar', '.face-open'], ['clear', '.face-clear'],
            ['more', '.more'], ['chart', '.plot'], ['table', '.table-scroll'], ['check', '[type=checkbox]'],
            ['radio', '[type=radio]'], ['area', 'textarea'], ['field', 'input'], ['button', 'button'],
        ]) if (element.matches(selector)) return kind;
        return element.localName;
    };
    const plain = new Map(inWidgets('button, input, select, textarea, [tabindex]').map(each => [each, looks(each)]));
    window.walk = {
        sent: [],
        /** The control with the focus: its kind, whether it is visible, …; null outside of the components. */
        where() {
            const element = active();
            let host = element;
            while (host && host.getRootNode() !== gallery) host = host.getRootNode().host;
            if (!components.contains(host ?? null)) return null;
            if (host === element) return {kind: 'page'};
            const isNew = !visited.has(element);
            visited.add(element);
            return {
                kind: kindOf(element), isNew, isSeen: isSeen(element), isMarked: looks(element) !== plain.get(element),
                open: inWidgets('[popover]').filter(each => each.matches(':popover-open')).length,
                name: element.getAttribute('aria-label') ?? element.textContent.trim(), value: element.value ?? '',
            };
        },
        /** The visible controls that the keyboard did not reach; one radio button per group is enough. */
        missed: () => [...plain.keys()]
            .filter(each => each.isConnected && each.tabIndex >= 0 && !each.matches(':disabled') && isShown(each))
            .filter(each => !visited.has(each) && ![...visited].some(other => other.type === 'radio' && other.name === each.name))
            .map(each => each.outerHTML.slice(0, 120)),
    };
    const isShown = element => element.checkVisibility({visibilityProperty: true, opacityProperty: true}) &&
        element.getBoundingClientRect().width > 1;
    gallery.addEventListener('widget-action', ({detail: {action}}) => walk.sent.push(action.type));
}
