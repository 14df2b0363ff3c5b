/** Icons by name as inline SVG on a 24-unit grid: ChatKit's are built in, those of Lucide are fetched on demand. */
import {html, nothing, type TemplateResult} from 'lit';
import {until} from 'lit/directives/until.js';
import {CIRCLE, COMPOSE, FRAME, PENCIL} from './icon-shapes.js';
import {LazyIcons} from './lazy-icons.js';

const PERSON = 'M12 4a4 4 0 1 1 0 8a4 4 0 0 1 0-8zM4.5 20.5c.6-3.6 3.6-5.5 7.5-5.5s6.9 1.9 7.5 5.5';
const PAGE = 'M6 3.5h8l4.5 4.5v12.5h-12.5zM13.5 3.5v5h5';
const BOOK = 'M12 6.5c-2-1.5-5-2-8.5-2v14c3.5 0 6.5.5 8.5 2c2-1.5 5-2 8.5-2v-14c-3.5 0-6.5.5-8.5 2zM12 6.5v14';
const STAR = 'M12 3.5l2.6 5.4l5.9.8l-4.3 4.1l1 5.9l-5.2-2.8l-5.2 2.8l1-5.9l-4.3-4.1l5.9-.8z';
const PIN = 'M12 21c4.5-4.3 7-7.8 7-11a7 7 0 0 0-14 0c0 3.2 2.5 6.7 7 11zM12 7.5a2.5 2.5 0 1 1 0 5a2.5 2.5 0 0 1 0-5z';
const SPARK = 'M12 3.5c.8 4.6 3.2 7.2 8 8.5c-4.8 1.3-7.2 3.9-8 8.5c-.8-4.6-3.2-7.2-8-8.5c4.8-1.3 7.2-3.9 8-8.5z';
const THUMB_UP =
  'M7.5 10.5l4-7a2.3 2.3 0 0 1 2.3 2.8l-.8 3.2h5a2 2 0 0 1 2 2.4l-1.3 6.5a2 2 0 0 1-2 1.6h-9.2zM7.5 10.5h-3.5v9.5h3.5z';
const THUMB_DOWN =
  'M16.5 13.5l-4 7a2.3 2.3 0 0 1-2.3-2.8l.8-3.2h-5a2 2 0 0 1-2-2.4l1.3-6.5a2 2 0 0 1 2-1.6h9.2zM16.5 13.5h3.5v-9.5h-3.5z';
const TRASH =
  'M4.5 6.5h15M9 6.5v-2a1 1 0 0 1 1-1h4a1 1 0 0 1 1 1v2M6.5 6.5l.8 12.2a2 2 0 0 0 2 1.8h5.4a2 2 0 0 0 2-1.8l.8-12.2M10 11v5M14 11v5';
const WARNING = 'M12 4.2l9 15.6h-18zM12 10v4.5M12 17v.01';
const CLOCK = `${CIRCLE}M12 7v5l3.5 2`;
const RELOAD = 'M19.5 12a7.5 7.5 0 1 1-2.2-5.3l2.2 2.1M19.5 4v4.8h-4.8';

/** Outline icons that the chat itself shows, and the most common ones of pages and widgets. All others are lazy. */
const OUTLINES = new Map<string, string>([
  ['close', 'M6 6l12 12M18 6l-12 12'],
  ['square-image', `${FRAME}M4 17l5-5l4 4l2.5-2.5l5 5M15.5 8.5v.01`],
  ['reload', RELOAD],
  ['plus', 'M12 5v14M5 12h14'],
  ['chevron-right', 'M9.5 6l6 6l-6 6'],
  ['chevron-down', 'M6 9.5l6 6l6-6'],
  ['chevron-up', 'M6 14.5l6-6l6 6'],
  ['chevron-left', 'M14.5 6l-6 6l6 6'],
  ['check', 'M5 12.5l4.7 4.7l9.3-10.4'],
  ['reply', 'M9.5 6l-5.5 5.5l5.5 5.5M4 11.5h10a6 6 0 0 1 6 6v1'],
  [
    'paperclip',
    'M20 11.5l-8.2 8.2a5.2 5.2 0 0 1-7.4-7.4l8.2-8.2a3.5 3.5 0 0 1 4.9 4.9l-8.2 8.2a1.7 1.7 0 0 1-2.4-2.4l7.5-7.5',
  ],
  ['error', `${CIRCLE}M12 7.5v5.5M12 16.2v.01`],
  ['document', `${PAGE}M9 13h6M9 16.5h6`],
  ['compose', COMPOSE],
  ['book-open', BOOK],
  ['at', 'M12 8a4 4 0 1 1 0 8a4 4 0 0 1 0-8zM16 8v5a2.5 2.5 0 0 0 5 0v-1a9 9 0 1 0-3.5 7.1'],
  ['arrow-up', 'M12 19v-14M6 11l6-6l6 6'],
  ['arrow-down', 'M12 5v14M6 13l6 6l6-6'],
  [
    'copy',
    'M10 8.5h8.5a1.5 1.5 0 0 1 1.5 1.5v9a1.5 1.5 0 0 1-1.5 1.5h-8.5a1.5 1.5 0 0 1-1.5-1.5v-9a1.5 1.5 0 0 1 1.5-1.5zM15.5 8.5v-3a1.5 1.5 0 0 0-1.5-1.5h-8.5a1.5 1.5 0 0 0-1.5 1.5v9a1.5 1.5 0 0 0 1.5 1.5h3',
  ],
  ['thumbs-up', THUMB_UP],
  ['thumbs-down', THUMB_DOWN],
  ['mic', 'M12 3.5a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0v-5a3 3 0 0 1 3-3zM5.5 11v.5a6.5 6.5 0 0 0 13 0v-.5M12 18v3'],
  ['trash', TRASH],
  ['write', PENCIL],
  ['history', 'M4.5 12a7.5 7.5 0 1 0 2.3-5.4l-2.3 2.2M4.5 4v4.8h4.8M12 8v4.3l3 1.7'],
  ['warning', WARNING],
  ['info', `${CIRCLE}M12 11v5.5M12 7.8v.01`],
  ['search', 'M10.5 4a6.5 6.5 0 1 1 0 13a6.5 6.5 0 0 1 0-13zM15.3 15.3l5.2 5.2'],
  ['circle-question', `${CIRCLE}M9.5 9.5a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.9-1.1 1.8M12 16.5v.01`],
  ['check-circle', `${CIRCLE}M8 12.3l2.8 2.8l5.2-5.9`],
  ['sparkle', SPARK],
  ['menu', 'M4 7h16M4 12h16M4 17h16'],
  ['external-link', 'M13.5 4.5h6v6M19.5 4.5l-8.5 8.5M18 14v4a2 2 0 0 1-2 2h-9.5a2 2 0 0 1-2-2v-9.5a2 2 0 0 1 2-2h4'],
  ['clock', CLOCK],
  [
    'calendar',
    'M5.5 5.5h13a2 2 0 0 1 2 2v11a2 2 0 0 1-2 2h-13a2 2 0 0 1-2-2v-11a2 2 0 0 1 2-2zM3.5 10h17M8 3.5v4M16 3.5v4',
  ],
  ['globe', `${CIRCLE}M3 12h18M12 3c2.7 2.7 4 5.7 4 9s-1.3 6.3-4 9c-2.7-2.7-4-5.7-4-9s1.3-6.3 4-9z`],
  ['lightbulb', 'M9 17c0-2-3-3.5-3-7.5a6 6 0 0 1 12 0c0 4-3 5.5-3 7.5zM9.5 20.5h5'],
  ['map-pin', PIN],
  ['maps', 'M9 4.5l-5.5 2v13l5.5-2l6 2l5.5-2v-13l-5.5 2zM9 4.5v13M15 6.5v13'],
  [
    'notebook',
    'M7 3.5h11a1.5 1.5 0 0 1 1.5 1.5v14a1.5 1.5 0 0 1-1.5 1.5h-11zM7 3.5v17M4.5 8h2.5M4.5 12h2.5M4.5 16h2.5',
  ],
  [
    'notebook-pencil',
    'M19.5 10v-5a1.5 1.5 0 0 0-1.5-1.5h-11v17h5M4.5 8h2.5M4.5 12h2.5M4.5 16h2.5M14.5 20.5l.5-2.5l4-4l2 2l-4 4z',
  ],
  ['page-blank', PAGE],
  ['profile', `${CIRCLE}M12 7.5a3 3 0 1 1 0 6a3 3 0 0 1 0-6zM6.5 18.8c.8-2 2.8-3 5.5-3s4.7 1 5.5 3`],
  ['user', PERSON],
  ['star', STAR],
  ['chart', 'M4 4v16h16M7.5 15.5l4-4.5l3 3l5-6'],
  ['bolt', 'M13.5 3l-8.5 10.5h6l-.5 7.5l8.5-10.5h-6z'],
  [
    'mail',
    'M5 5.5h14a1.5 1.5 0 0 1 1.5 1.5v10a1.5 1.5 0 0 1-1.5 1.5h-14a1.5 1.5 0 0 1-1.5-1.5v-10a1.5 1.5 0 0 1 1.5-1.5zM4 7.5l8 6l8-6',
  ],
  [
    'suitcase',
    'M5 8h14a1.5 1.5 0 0 1 1.5 1.5v9a1.5 1.5 0 0 1-1.5 1.5h-14a1.5 1.5 0 0 1-1.5-1.5v-9a1.5 1.5 0 0 1 1.5-1.5zM8.5 8v-2.5a1.5 1.5 0 0 1 1.5-1.5h4a1.5 1.5 0 0 1 1.5 1.5v2.5M3.5 13h17',
  ],
  ['settings-slider', 'M4 8h7M17 8h3M14 5.5v5M4 16h3M13 16h7M10 13.5v5'],
  ['square-code', `${FRAME}M9.5 9l-3 3l3 3M14.5 9l3 3l-3 3`],
  ['square-text', `${FRAME}M8 9h8M8 12h8M8 15h5`],
  [
    'images',
    'M8 3.5h10.5a2 2 0 0 1 2 2v10.5M5.5 7.5h9a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2h-9a2 2 0 0 1-2-2v-9a2 2 0 0 1 2-2zM4 18l3.5-3.5l2.5 2.5l2-2l4 4',
  ],
  [
    'sparkle-double',
    'M9.5 5.5c.6 4 2.6 6.2 6.5 7.2c-3.9 1-5.9 3.2-6.5 7.2c-.6-4-2.6-6.2-6.5-7.2c3.9-1 5.9-3.2 6.5-7.2zM18 3c.3 1.8 1.2 2.7 3 3.2c-1.8.5-2.7 1.4-3 3.2c-.3-1.8-1.2-2.7-3-3.2c1.8-.5 2.7-1.4 3-3.2z',
  ],
  ['play', 'M7.5 4.5l11.5 7.5l-11.5 7.5z'],
  [
    'phone',
    'M6 3.5h3l1.5 4.5l-2 1.5c1 2.5 3.5 5 6 6l1.5-2l4.5 1.5v3a2 2 0 0 1-2 2c-7.5 0-14.5-7-14.5-14.5a2 2 0 0 1 2-2z',
  ],
  ['empty-circle', CIRCLE],
  ['home', 'M4 11l8-7l8 7v8.5h-5.5v-5.5h-5v5.5h-5.5z'],
  [
    'settings-cog',
    `M12 9a3 3 0 1 1 0 6a3 3 0 0 1 0-6zM12 3v3M12 18v3M3 12h3M18 12h3M5.6 5.6l2.1 2.1M16.3 16.3l2.1 2.1M5.6 18.4l2.1-2.1M16.3 7.7l2.1-2.1`,
  ],
]);

const SOLIDS = new Map<string, string>([
  ['dot', 'M12 8a4 4 0 1 1 0 8a4 4 0 0 1 0-8z'],
  ['stop', 'M8 6.5h8a1.5 1.5 0 0 1 1.5 1.5v8a1.5 1.5 0 0 1-1.5 1.5h-8a1.5 1.5 0 0 1-1.5-1.5v-8a1.5 1.5 0 0 1 1.5-1.5z'],
  ['star-filled', STAR],
  [
    'check-circle-filled',
    'M12 2.5a9.5 9.5 0 1 1 0 19a9.5 9.5 0 0 1 0-19zM7.2 12.3l3.5 3.5l6.2-7l-1.5-1.3l-4.8 5.4l-2-2z',
  ],
]);

const ALIASES = new Map<string, string>([
  ['circle-check', 'check-circle'],
  ['code', 'square-code'],
  ['help-circle', 'circle-question'],
  ['pencil', 'write'],
  ['refresh-cw', 'reload'],
  ['trash-2', 'trash'],
  ['triangle-alert', 'warning'],
  ['x', 'close'],
  ['zap', 'bolt'],
]);

const LUCIDE = /^lucide:/;
/** A small circle in place of an unknown icon. */
const PLACEHOLDER = 'M12 9a3 3 0 1 1 0 6a3 3 0 0 1 0-6z';

/** Icons that are mirrored in right-to-left text. */
const MIRRORED = /(?:chevron|arrow)s?-(?:left|right)$/;

const lazyIcons = new LazyIcons();

interface Drawing {
  readonly path: string | Promise<string>;
  readonly solid: boolean;
}

function findBuiltIn(name: string): Drawing | undefined {
  // Lucide's `bolt` is a different icon: a metal bolt.
  if (name === 'lucide:bolt') return undefined;
  const plain = name.replace(LUCIDE, '');
  const ownName = ALIASES.get(plain) ?? plain;
  const solid = SOLIDS.get(ownName);
  if (solid !== undefined) return {path: solid, solid: true};
  const outline = OUTLINES.get(ownName);
  return outline === undefined ? undefined : {path: outline, solid: false};
}

function findLazy(name: string, lazy: LazyIcons): Drawing {
  const result = lazy.find(name.replace(LUCIDE, ''), LUCIDE.test(name));
  const path = typeof result === 'object' ? result.then(loaded => loaded ?? PLACEHOLDER) : (result ?? PLACEHOLDER);
  return {path, solid: false};
}

/** Whether a value has the form of an icon name, rather than the URL of an image. */
export function hasIcon(name: unknown): boolean {
  return typeof name === 'string' && /^(?:lucide:)?[a-z0-9-]{1,60}$/i.test(name);
}

/**
 * Renders an icon as inline SVG in the current text colour, hidden from assistive technology.
 *
 * @param name A name of ChatKit or Lucide, with or without `lucide:`. Anything but a non-empty string renders nothing,
 *   an unknown name a placeholder.
 * @param size Width and height as SVG attributes, for example `16` or `1em`. Whole numbers scale with the page's text,
 *   by `iconSizes`.
 */
export function icon(name: unknown, size = '1.25em', lazy = lazyIcons): TemplateResult | typeof nothing {
  if (typeof name !== 'string' || name === '') return nothing;
  const {path, solid} = findBuiltIn(name) ?? findLazy(name, lazy);
  return html`<svg
    class=${/^\d+$/.test(size) ? `icon i${size}` : 'icon'}
    part="icon"
    width=${size}
    height=${size}
    viewBox="0 0 24 24"
    fill=${solid ? 'currentColor' : 'none'}
    fill-rule="evenodd"
    stroke=${solid ? 'none' : 'currentColor'}
    stroke-width="1.75"
    stroke-linecap="round"
    stroke-linejoin="round"
    aria-hidden="true"
    focusable="false"
    ?data-mirrors=${MIRRORED.test(name)}
  ><path d=${typeof path === 'string' ? path : until(path, '')}></path></svg>`;
}
