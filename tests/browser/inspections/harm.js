// Returns what untrusted texts, addresses and styles have injected into `chat`.
() => {
    const problems = [];
    const forbidden = new Set(['script', 'iframe', 'object', 'embed', 'form', 'base', 'link', 'meta', 'template', 'marquee', 'audio',
        'video', 'source', 'frame', 'frameset', 'applet', 'foreignobject', 'animate', 'set', 'use', 'custom-element', 'mglyph', 'noscript', 'xmp']);
    const walk = (root, host) => {
        for (const element of root.querySelectorAll('*')) {
            const name = element.localName;
            const where = `${host} <${name}>`;
            const isOurForm = name === 'form' && /^(parlor-widget|parlor-structured-input)$/.test(host);
            if (forbidden.has(name.toLowerCase()) && !isOurForm) problems.push(where);
            if (name === 'style' && root.adoptedStyleSheets) problems.push(where);
            if (name === 'svg' && !element.closest('svg.icon, .katex svg, .chart svg, [part~=icon]') && host !== 'parlor-chart') problems.push(where);
            for (const {name: key, value} of element.attributes) {
                if (/^on/i.test(key) || /^(srcdoc|formaction|xlink:href|background|action|popovertarget)$/i.test(key)) problems.push(`${where} ${key}`);
                if (/^(href|src)$/i.test(key)) {
                    const url = new URL(value, 'https://page.example/');
                    if (!['https:', 'http:', 'mailto:', 'tel:', 'chatkit-link:'].includes(url.protocol)
                        && !(name === 'img' && /^(blob:|data:image\/)/.test(value))) problems.push(`${where} ${key}=${value}`);
                    if (name === 'a' && !(element.target === '_blank' && /noopener/.test(element.rel))) problems.push(`${where} opens here`);
                }
            }
            const {position, zIndex, backgroundImage} = getComputedStyle(element);
            if (/url\(|image-set\(/.test(backgroundImage) && !/url\("data:/.test(backgroundImage)) problems.push(`${where} ${backgroundImage}`);
            if (position === 'fixed' && !element.matches('[popover], dialog')) problems.push(`${where} is fixed`);
            if (Number(zIndex) > 100) problems.push(`${where} z ${zIndex}`);
            if (element.shadowRoot) walk(element.shadowRoot, name);
        }
    };
    walk(chat.shadowRoot, 'openai-chatkit');
    if (window.pwned) problems.push(`${pwned} times run`);
    if (({}).polluted !== undefined) problems.push('polluted');
    return [...new Set(problems)];
}
