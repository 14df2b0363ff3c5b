// Returns the icons, borders of fields and the focus ring whose contrast is below 3:1.
() => {
    const canvas = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
    const paint = colors => {
        canvas.clearRect(0, 0, 1, 1);
        for (const color of colors) { canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); }
        return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const luminance = rgb => {
        const [r, g, b] = rgb.map(part => part / 255 <= 0.03928 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ratio = (one, other) => {
        const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
        return (light + 0.05) / (dark + 0.05);
    };
    const parentOf = element => element.parentElement ?? element.getRootNode().host;
    const behind = element => {
        const colors = [];
        for (let each = element; each; each = parentOf(each))
            colors.unshift(getComputedStyle(each).backgroundColor);
        return colors;
    };
    // The contrast of the border or the background with the surroundings, whichever is higher.
    const edgeOf = box => {
        const style = getComputedStyle(box);
        const [around, within] = [paint(behind(parentOf(box))), paint(behind(box))];
        const hasLine = style.borderBottomStyle !== 'none' && parseFloat(style.borderBottomWidth) >= 1;
        const line = hasLine ? paint([...behind(box), style.borderBottomColor]) : around;
        return Math.max(ratio(around, within), ratio(around, line));
    };
    const faint = [];
    const lookAtField = field => {
        if (field.disabled || field.type === 'file' || !field.checkVisibility()) return;
        // Native controls are up to the browser; pickers without a border are checked by their text and arrow.
        const style = getComputedStyle(field);
        if (/^(?:checkbox|radio)$/.test(field.type) && style.appearance !== 'none') return;
        if (field.matches('select, [type=date], .date') && style.borderBottomColor === 'rgba(0, 0, 0, 0)') return;
        const composer = field.getRootNode().host.closest('[part~=composer]');
        const found = Math.max(...[field, field.closest('.own'), composer].filter(Boolean).map(edgeOf));
        if (found < 3) faint.push(`${found.toFixed(2)} ${field.outerHTML.slice(0, 120)}`);
    };
    const walk = root => {
        for (const element of root.querySelectorAll('*')) {
            if (element.shadowRoot) walk(element.shadowRoot);
            if (element.matches('input, textarea, select')) lookAtField(element);
            const button = element.closest('button');
            if (element.localName !== 'svg' || !button || button.disabled || button.ariaDisabled === 'true' || !element.checkVisibility()) continue;
            const back = behind(element);
            const found = ratio(paint(back), paint([...back, getComputedStyle(element).color]));
            if (found < 3) faint.push(`${found.toFixed(2)} ${button.outerHTML.slice(0, 120)}`);
        }
    };
    walk(chat.shadowRoot);
    const region = chat.shadowRoot.querySelector('.root');
    const surface = behind(region);
    const ring = ratio(paint(surface), paint([...surface, getComputedStyle(region).getPropertyValue('--chatkit-focus')]));
    if (!(ring >= 3)) faint.push(`the ring of the focus: ${ring}`);
    return faint;
}
