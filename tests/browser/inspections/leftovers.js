/** Records the state of the empty page; `findLeftovers` restores it, and returns what it could not restore. */
() => {
    const attributes = node => [...node.attributes].map(({name, value}) => `${name}=${value}`).join(' ');
    const roots = () => [document.documentElement, document.head, document.body];
    const media = ['(prefers-reduced-motion)', '(prefers-color-scheme: dark)', '(forced-colors: active)', 'print',
        '(hover)', '(prefers-contrast: more)'];
    const seenBy = () => media.map(query => matchMedia(query).matches).join();
    /** Visits each member that a page can replace; of the window, where tests store values, only functions. */
    const visit = (holder, look) => {
        for (const name of Object.getOwnPropertyNames(holder)) {
            const {value, get, set} = Object.getOwnPropertyDescriptor(holder, name);
            if (holder !== window || get || set || typeof value === 'function') look(name, get ?? set ?? value);
        }
    };
    const holders = [window, document, navigator, performance, history, location, customElements, screen, Math, JSON,
        Reflect, CSS];
    visit(window, (name, each) => {
        if (typeof each.prototype === 'object' && each.prototype !== null) holders.push(each.prototype, each);
    });
    const known = new Set(Object.getOwnPropertyNames(window));
    const before = holders.map(holder => {
        const members = new Map();
        visit(holder, (name, value) => members.set(name, value));
        return members;
    });
    const first = {head: [...document.head.childNodes], roots: roots().map(attributes), media: seenBy()};

    const findLeftovers = () => {
        document.body.replaceChildren();
        for (const node of document.head.childNodes) if (!first.head.includes(node)) node.remove();
        document.adoptedStyleSheets = [];
        document.title = 'A page';
        getSelection().removeAllRanges();
        scrollTo(0, 0);
        sessionStorage.clear();
        for (const name of Object.getOwnPropertyNames(window)) if (!known.has(name)) delete window[name];
        window.seen = [];
        const left = [];
        holders.forEach((holder, at) => {
            let count = 0;
            visit(holder, (name, value) => {
                count += 1;
                if (!Object.is(before[at].get(name), value)) left.push(name);
            });
            if (count < before[at].size) left.push(`${String(holder)} has lost a member`);
        });
        roots().forEach((node, at) => {
            if (attributes(node) !== first.roots[at]) left.push(`${node.localName} has other attributes`);
        });
        if (seenBy() !== first.media) left.push('another medium');
        if (trustedTypes.defaultPolicy) left.push('a policy for all');
        if (document.documentElement.childElementCount !== 2) left.push('an element beside the body');
        return left;
    };
    Object.defineProperty(window, 'findLeftovers', {value: findLeftovers});
    known.add('findLeftovers');
    before[0].set('findLeftovers', findLeftovers);
}
