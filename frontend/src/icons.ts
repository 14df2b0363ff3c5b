/** The built-in icons, drawn on a grid of 24: `icon(name)` gives an inline SVG, or an empty box of the same size. */
import {html, type TemplateResult} from 'lit';

const CIRCLE = 'M12 3a9 9 0 1 1 0 18a9 9 0 0 1 0-18z';
const PERSON = 'M12 4a4 4 0 1 1 0 8a4 4 0 0 1 0-8zM4.5 20.5c.6-3.6 3.6-5.5 7.5-5.5s6.9 1.9 7.5 5.5';
const PAGE = 'M6 3.5h8l4.5 4.5v12.5h-12.5zM13.5 3.5v5h5';
const BOOK = 'M12 6.5c-2-1.5-5-2-8.5-2v14c3.5 0 6.5.5 8.5 2c2-1.5 5-2 8.5-2v-14c-3.5 0-6.5.5-8.5 2zM12 6.5v14';
const CLOSED_BOOK = 'M6.5 3.5h12v17h-12a2 2 0 0 1-2-2v-13a2 2 0 0 1 2-2zM4.5 18a2 2 0 0 1 2-2h12';
const FRAME = 'M5.5 4h13a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2h-13a2 2 0 0 1-2-2v-12a2 2 0 0 1 2-2z';
const STAR = 'M12 3.5l2.6 5.4l5.9.8l-4.3 4.1l1 5.9l-5.2-2.8l-5.2 2.8l1-5.9l-4.3-4.1l5.9-.8z';
const PIN = 'M12 21c4.5-4.3 7-7.8 7-11a7 7 0 0 0-14 0c0 3.2 2.5 6.7 7 11zM12 7.5a2.5 2.5 0 1 1 0 5a2.5 2.5 0 0 1 0-5z';
const PENCIL = 'M4.5 19.5l1-4.5l10.5-10.5a2.1 2.1 0 0 1 3 0l.5.5a2.1 2.1 0 0 1 0 3l-10.5 10.5zM14 6.5l3.5 3.5';
const CLOUD = 'M7 18.5a4 4 0 0 1-.4-8a5.5 5.5 0 0 1 10.6-.9a4.5 4.5 0 0 1-.2 8.9z';
const HIGH_CLOUD = 'M7 14.5a3.7 3.7 0 0 1-.4-7.4a5.5 5.5 0 0 1 10.6-.8a4.2 4.2 0 0 1-.2 8.2z';
const BUBBLE = 'M4 5.5h16v11h-9l-4.5 4v-4h-2.5z';
const SPARK = 'M12 3.5c.8 4.6 3.2 7.2 8 8.5c-4.8 1.3-7.2 3.9-8 8.5c-.8-4.6-3.2-7.2-8-8.5c4.8-1.3 7.2-3.9 8-8.5z';
const SUN =
  'M12 8a4 4 0 1 1 0 8a4 4 0 0 1 0-8zM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4';
const MOON = 'M19.5 14.5a8 8 0 0 1-10-10a8 8 0 1 0 10 10z';
const THUMB_UP =
  'M7.5 10.5l4-7a2.3 2.3 0 0 1 2.3 2.8l-.8 3.2h5a2 2 0 0 1 2 2.4l-1.3 6.5a2 2 0 0 1-2 1.6h-9.2zM7.5 10.5h-3.5v9.5h3.5z';
const THUMB_DOWN =
  'M16.5 13.5l-4 7a2.3 2.3 0 0 1-2.3-2.8l.8-3.2h-5a2 2 0 0 1-2-2.4l1.3-6.5a2 2 0 0 1 2-1.6h9.2zM16.5 13.5h3.5v-9.5h-3.5z';
const DOTS_H =
  'M4.4 12a.6.6 0 1 0 1.2 0a.6.6 0 1 0-1.2 0M11.4 12a.6.6 0 1 0 1.2 0a.6.6 0 1 0-1.2 0M18.4 12a.6.6 0 1 0 1.2 0a.6.6 0 1 0-1.2 0';
const DOTS_V =
  'M11.4 5a.6.6 0 1 0 1.2 0a.6.6 0 1 0-1.2 0M11.4 12a.6.6 0 1 0 1.2 0a.6.6 0 1 0-1.2 0M11.4 19a.6.6 0 1 0 1.2 0a.6.6 0 1 0-1.2 0';
const HALF_LEFT = `${FRAME}M9.5 4v16`;
const HALF_RIGHT = `${FRAME}M14.5 4v16`;
const TRASH =
  'M4.5 6.5h15M9 6.5v-2a1 1 0 0 1 1-1h4a1 1 0 0 1 1 1v2M6.5 6.5l.8 12.2a2 2 0 0 0 2 1.8h5.4a2 2 0 0 0 2-1.8l.8-12.2M10 11v5M14 11v5';
const WARNING = 'M12 4.2l9 15.6h-18zM12 10v4.5M12 17v.01';
const CLOCK = `${CIRCLE}M12 7v5l3.5 2`;
const RELOAD = 'M19.5 12a7.5 7.5 0 1 1-2.2-5.3l2.2 2.1M19.5 4v4.8h-4.8';
const COMPOSE =
  'M12 4.5h-5.5a2 2 0 0 0-2 2v11a2 2 0 0 0 2 2h11a2 2 0 0 0 2-2v-5.5M9.5 14.5l.6-2.9l7.7-7.7a1.6 1.6 0 0 1 2.3 2.3l-7.7 7.7z';
const SQUARE_CHECK = `${FRAME}M8 12.2l2.8 2.8l5.2-5.8`;
const SNOW = `${HIGH_CLOUD}M8 18v.01M12 20v.01M16 18v.01M12 17v.01`;
const DROP = 'M12 3.5c3.7 4.3 5.7 7.6 5.7 10.6a5.7 5.7 0 0 1-11.4 0c0-3 2-6.3 5.7-10.6z';

/** Drawn with a line. Names as in ChatKit; a few more are ours or common in Lucide. */
const OUTLINES = new Map<string, string>([
  ['agent', 'M6 8.5h12a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2h-12a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2zM12 4v4.5M9 13.5v1M15 13.5v1'],
  ['analytics', 'M4 20h16M6.5 20v-6M12 20v-11M17.5 20v-15'],
  [
    'atom',
    'M12 12v.01M12 8c5 0 9 1.8 9 4s-4 4-9 4s-9-1.8-9-4s4-4 9-4zM8.5 14c-2.5-4.3-3-8.7-1-9.8s5.5 1.5 8 5.8s3 8.7 1 9.8s-5.5-1.5-8-5.8z',
  ],
  ['batch', 'M12 3.5l8.5 4.5l-8.5 4.5l-8.5-4.5zM3.5 12l8.5 4.5l8.5-4.5M3.5 16l8.5 4.5l8.5-4.5'],
  ['bolt', 'M13.5 3l-8.5 10.5h6l-.5 7.5l8.5-10.5h-6z'],
  ['book-open', BOOK],
  ['book-closed', CLOSED_BOOK],
  ['book-clock', `${CLOSED_BOOK}M12 6.5v3.5l2 1.2`],
  [
    'bug',
    'M8 9.5a4 4 0 0 1 8 0v5a4 4 0 0 1-8 0zM8 12h-4.5M20.5 12h-4.5M8 9l-3.5-2.5M16 9l3.5-2.5M8 15.5l-3.5 2.5M16 15.5l3.5 2.5M12 12v6',
  ],
  [
    'calendar',
    'M5.5 5.5h13a2 2 0 0 1 2 2v11a2 2 0 0 1-2 2h-13a2 2 0 0 1-2-2v-11a2 2 0 0 1 2-2zM3.5 10h17M8 3.5v4M16 3.5v4',
  ],
  ['chart', 'M4 4v16h16M7.5 15.5l4-4.5l3 3l5-6'],
  ['check', 'M5 12.5l4.7 4.7l9.3-10.4'],
  ['check-circle', `${CIRCLE}M8 12.3l2.8 2.8l5.2-5.9`],
  ['chevron-left', 'M14.5 6l-6 6l6 6'],
  ['chevron-right', 'M9.5 6l6 6l-6 6'],
  ['chevron-up', 'M6 14.5l6-6l6 6'],
  ['chevron-down', 'M6 9.5l6 6l6-6'],
  ['circle-question', `${CIRCLE}M9.5 9.5a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.9-1.1 1.8M12 16.5v.01`],
  ['clock', CLOCK],
  ['compass', `${CIRCLE}M15.5 8.5l-2 5l-5 2l2-5z`],
  [
    'confetti',
    'M4 20l4-10.5l6.5 6.5zM13 9c1.5-1 2-2.5 1.5-4.5M15 11c1.5-1.5 3.5-1.8 5.5-1M18 5v.01M20.5 15v.01M9.5 4.5v.01',
  ],
  ['cube', 'M12 3l8 4.5v9l-8 4.5l-8-4.5v-9zM4 7.5l8 4.5l8-4.5M12 12v9'],
  ['desktop', 'M4.5 4.5h15a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1h-15a1 1 0 0 1-1-1v-10a1 1 0 0 1 1-1zM8.5 20h7M12 16.5v3.5'],
  ['document', `${PAGE}M9 13h6M9 16.5h6`],
  ['dots-horizontal', DOTS_H],
  ['dots-vertical', DOTS_V],
  ['dots-horizontal-circle', `${CIRCLE}M8 12h.01M12 12h.01M16 12h.01`],
  ['dots-vertical-circle', `${CIRCLE}M12 8v.01M12 12v.01M12 16v.01`],
  ['empty-circle', CIRCLE],
  ['external-link', 'M13.5 4.5h6v6M19.5 4.5l-8.5 8.5M18 14v4a2 2 0 0 1-2 2h-9.5a2 2 0 0 1-2-2v-9.5a2 2 0 0 1 2-2h4'],
  ['globe', `${CIRCLE}M3 12h18M12 3c2.7 2.7 4 5.7 4 9s-1.3 6.3-4 9c-2.7-2.7-4-5.7-4-9s1.3-6.3 4-9z`],
  ['keys', 'M8 11.5a4.5 4.5 0 1 1 0 9a4.5 4.5 0 0 1 0-9zM11.2 12.8l8.3-8.3M16 8l2.5 2.5M13.5 10.5l1.5 1.5'],
  ['lab', 'M9.5 3.5h5M10.5 3.5v6l-5.5 9a1.4 1.4 0 0 0 1.2 2h11.6a1.4 1.4 0 0 0 1.2-2l-5.5-9v-6M8 15h8'],
  [
    'images',
    'M8 3.5h10.5a2 2 0 0 1 2 2v10.5M5.5 7.5h9a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2h-9a2 2 0 0 1-2-2v-9a2 2 0 0 1 2-2zM4 18l3.5-3.5l2.5 2.5l2-2l4 4',
  ],
  ['info', `${CIRCLE}M12 11v5.5M12 7.8v.01`],
  [
    'lifesaver',
    `${CIRCLE}M12 8.5a3.5 3.5 0 1 1 0 7a3.5 3.5 0 0 1 0-7zM5.7 5.7l3.8 3.8M14.5 14.5l3.8 3.8M18.3 5.7l-3.8 3.8M9.5 14.5l-3.8 3.8`,
  ],
  ['lightbulb', 'M9 17c0-2-3-3.5-3-7.5a6 6 0 0 1 12 0c0 4-3 5.5-3 7.5zM9.5 20.5h5'],
  [
    'mail',
    'M5 5.5h14a1.5 1.5 0 0 1 1.5 1.5v10a1.5 1.5 0 0 1-1.5 1.5h-14a1.5 1.5 0 0 1-1.5-1.5v-10a1.5 1.5 0 0 1 1.5-1.5zM4 7.5l8 6l8-6',
  ],
  ['map-pin', PIN],
  ['maps', 'M9 4.5l-5.5 2v13l5.5-2l6 2l5.5-2v-13l-5.5 2zM9 4.5v13M15 6.5v13'],
  [
    'mobile',
    'M8.5 3h7a1.5 1.5 0 0 1 1.5 1.5v15a1.5 1.5 0 0 1-1.5 1.5h-7a1.5 1.5 0 0 1-1.5-1.5v-15a1.5 1.5 0 0 1 1.5-1.5zM11 18h2',
  ],
  ['name', 'M4 18.5l4.5-13l4.5 13M5.5 14.5h6M15.5 18.5h5'],
  [
    'notebook',
    'M7 3.5h11a1.5 1.5 0 0 1 1.5 1.5v14a1.5 1.5 0 0 1-1.5 1.5h-11zM7 3.5v17M4.5 8h2.5M4.5 12h2.5M4.5 16h2.5',
  ],
  [
    'notebook-pencil',
    'M19.5 10v-5a1.5 1.5 0 0 0-1.5-1.5h-11v17h5M4.5 8h2.5M4.5 12h2.5M4.5 16h2.5M14.5 20.5l.5-2.5l4-4l2 2l-4 4z',
  ],
  ['page-blank', PAGE],
  [
    'phone',
    'M6 3.5h3l1.5 4.5l-2 1.5c1 2.5 3.5 5 6 6l1.5-2l4.5 1.5v3a2 2 0 0 1-2 2c-7.5 0-14.5-7-14.5-14.5a2 2 0 0 1 2-2z',
  ],
  ['play', 'M7.5 4.5l11.5 7.5l-11.5 7.5z'],
  ['plus', 'M12 5v14M5 12h14'],
  ['profile', `${CIRCLE}M12 7.5a3 3 0 1 1 0 6a3 3 0 0 1 0-6zM6.5 18.8c.8-2 2.8-3 5.5-3s4.7 1 5.5 3`],
  [
    'profile-card',
    `${FRAME}M8.5 8.5a2 2 0 1 1 0 4a2 2 0 0 1 0-4zM5.8 16.5c.3-1.4 1.3-2 2.7-2s2.4.6 2.7 2M14 10h4M14 14h4`,
  ],
  ['reload', RELOAD],
  ['star', STAR],
  ['search', 'M10.5 4a6.5 6.5 0 1 1 0 13a6.5 6.5 0 0 1 0-13zM15.3 15.3l5.2 5.2'],
  ['sparkle', SPARK],
  [
    'sparkle-double',
    'M9.5 5.5c.6 4 2.6 6.2 6.5 7.2c-3.9 1-5.9 3.2-6.5 7.2c-.6-4-2.6-6.2-6.5-7.2c3.9-1 5.9-3.2 6.5-7.2zM18 3c.3 1.8 1.2 2.7 3 3.2c-1.8.5-2.7 1.4-3 3.2c-.3-1.8-1.2-2.7-3-3.2c1.8-.5 2.7-1.4 3-3.2z',
  ],
  ['square-code', `${FRAME}M9.5 9l-3 3l3 3M14.5 9l3 3l-3 3`],
  ['square-image', `${FRAME}M4 17l5-5l4 4l2.5-2.5l5 5M15.5 8.5v.01`],
  ['square-text', `${FRAME}M8 9h8M8 12h8M8 15h5`],
  [
    'suitcase',
    'M5 8h14a1.5 1.5 0 0 1 1.5 1.5v9a1.5 1.5 0 0 1-1.5 1.5h-14a1.5 1.5 0 0 1-1.5-1.5v-9a1.5 1.5 0 0 1 1.5-1.5zM8.5 8v-2.5a1.5 1.5 0 0 1 1.5-1.5h4a1.5 1.5 0 0 1 1.5 1.5v2.5M3.5 13h17',
  ],
  ['settings-slider', 'M4 8h7M17 8h3M14 5.5v5M4 16h3M13 16h7M10 13.5v5'],
  [
    'settings-cog',
    `M12 9a3 3 0 1 1 0 6a3 3 0 0 1 0-6zM12 3v3M12 18v3M3 12h3M18 12h3M5.6 5.6l2.1 2.1M16.3 16.3l2.1 2.1M5.6 18.4l2.1-2.1M16.3 7.7l2.1-2.1`,
  ],
  ['user', PERSON],
  [
    'wreath',
    'M9 20c-4-1-6-4-6-8c0-3 1-5.5 3-7.5M15 20c4-1 6-4 6-8c0-3-1-5.5-3-7.5M4 9l2.5 1.5M3.5 14l3-.5M6 18l2-2M20 9l-2.5 1.5M20.5 14l-3-.5M18 18l-2-2',
  ],
  ['write', PENCIL],
  ['write-alt', `${PENCIL}M13 20h7`],
  ['write-alt2', COMPOSE],
  ['compose', COMPOSE],
  ['close', 'M6 6l12 12M18 6l-12 12'],
  ['menu', 'M4 7h16M4 12h16M4 17h16'],
  ['hamburger', 'M4 7h16M4 12h16M4 17h16'],
  ['menu-inverted', 'M4 7h16M4 12h10M4 17h16'],
  ['history', 'M4.5 12a7.5 7.5 0 1 0 2.3-5.4l-2.3 2.2M4.5 4v4.8h4.8M12 8v4.3l3 1.7'],
  ['home', 'M4 11l8-7l8 7v8.5h-5.5v-5.5h-5v5.5h-5.5z'],
  ['home-alt', 'M4 11l8-7l8 7v8.5h-16zM9.5 16h5'],
  ['share', 'M12 14.5v-11M8 7l4-3.5l4 3.5M5 12v6.5a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2v-6.5'],
  ['grid', 'M4.5 4.5h6v6h-6zM13.5 4.5h6v6h-6zM4.5 13.5h6v6h-6zM13.5 13.5h6v6h-6z'],
  ['light-mode', SUN],
  ['dark-mode', MOON],
  ['chat-temporary', BUBBLE],
  ['back-small', 'M18 12h-12M11 7l-5 5l5 5'],
  ['back-large', 'M20 12h-16M10.5 5.5l-6.5 6.5l6.5 6.5'],
  ['double-chevron-left', 'M12 6l-6 6l6 6M18.5 6l-6 6l6 6'],
  ['double-chevron-right', 'M12 6l6 6l-6 6M5.5 6l6 6l-6 6'],
  ['expand-large', 'M14 4.5h5.5v5.5M10 19.5h-5.5v-5.5M19.5 4.5l-6 6M4.5 19.5l6-6'],
  ['expand-small', 'M13.5 6h4.5v4.5M10.5 18h-4.5v-4.5M18 6l-5 5M6 18l5-5'],
  ['collapse-large', 'M19.5 10h-5.5v-5.5M4.5 14h5.5v5.5M14 10l6-6M10 14l-6 6'],
  ['collapse-small', 'M18 10h-4v-4M6 14h4v4M14 10l4.5-4.5M10 14l-4.5 4.5'],
  ['collapse-left', 'M4.5 4.5v15M20 12h-11M13 7.5l-4.5 4.5l4.5 4.5'],
  ['collapse-right', 'M19.5 4.5v15M4 12h11M11 7.5l4.5 4.5l-4.5 4.5'],
  ['open-left', 'M19.5 4.5v15M15.5 12h-11M8.5 7.5l-4.5 4.5l4.5 4.5'],
  ['open-right', 'M4.5 4.5v15M8.5 12h11M15.5 7.5l4.5 4.5l-4.5 4.5'],
  ...[
    'sidebar-left',
    'sidebar-open-left',
    'sidebar-open-left-alt',
    'sidebar-floating-left',
    'sidebar-floating-open-left',
    'sidebar-collapse-left',
  ].map((name): [string, string] => [name, HALF_LEFT]),
  ...[
    'sidebar-right',
    'sidebar-open-right',
    'sidebar-open-right-alt',
    'sidebar-floating-right',
    'sidebar-floating-open-right',
    'sidebar-collapse-right',
  ].map((name): [string, string] => [name, HALF_RIGHT]),
  ['reply', 'M9.5 6l-5.5 5.5l5.5 5.5M4 11.5h10a6 6 0 0 1 6 6v1'],
  ['at', 'M12 8a4 4 0 1 1 0 8a4 4 0 0 1 0-8zM16 8v5a2.5 2.5 0 0 0 5 0v-1a9 9 0 1 0-3.5 7.1'],
  ['mic', 'M12 3.5a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0v-5a3 3 0 0 1 3-3zM5.5 11v.5a6.5 6.5 0 0 0 13 0v-.5M12 18v3'],
  [
    'paperclip',
    'M20 11.5l-8.2 8.2a5.2 5.2 0 0 1-7.4-7.4l8.2-8.2a3.5 3.5 0 0 1 4.9 4.9l-8.2 8.2a1.7 1.7 0 0 1-2.4-2.4l7.5-7.5',
  ],
  ['arrow-up', 'M12 19v-14M6 11l6-6l6 6'],
  ['arrow-down', 'M12 5v14M6 13l6 6l6-6'],
  [
    'copy',
    'M10 8.5h8.5a1.5 1.5 0 0 1 1.5 1.5v9a1.5 1.5 0 0 1-1.5 1.5h-8.5a1.5 1.5 0 0 1-1.5-1.5v-9a1.5 1.5 0 0 1 1.5-1.5zM15.5 8.5v-3a1.5 1.5 0 0 0-1.5-1.5h-8.5a1.5 1.5 0 0 0-1.5 1.5v9a1.5 1.5 0 0 0 1.5 1.5h3',
  ],
  ['trash', TRASH],
  ['thumbs-up', THUMB_UP],
  ['thumbs-down', THUMB_DOWN],
  ['warning', WARNING],
  ['error', `${CIRCLE}M12 7.5v5.5M12 16.2v.01`],
  [
    'attach',
    'M19.5 11.5l-7.7 7.7a4.6 4.6 0 0 1-6.5-6.5l8.2-8.2a3.1 3.1 0 0 1 4.4 4.4l-8 8a1.5 1.5 0 0 1-2.2-2.2l7.3-7.3',
  ],
  ['sun', SUN],
  ['moon', MOON],
  ['cloud', CLOUD],
  [
    'cloud-sun',
    'M9 19a3.5 3.5 0 0 1-.3-7a4.7 4.7 0 0 1 9-.8a3.9 3.9 0 0 1-.2 7.8zM6.2 9.5a3.6 3.6 0 0 1 5.6-2.9M9 2.5v1M3.2 5l.8.7M2 10.5h1M14.5 4.5l-.7.8',
  ],
  ['cloud-rain', `${HIGH_CLOUD}M8 17.5l-1 3M12.5 17.5l-1 3M17 17.5l-1 3`],
  ['cloud-snow', SNOW],
  ['cloud-fog', `${HIGH_CLOUD}M5 17.5h14M7.5 20.5h9`],
  ['cloud-lightning', `${HIGH_CLOUD}M12.5 13l-2.5 4h3.5l-2.5 4`],
  ['wind', 'M3 9h11a3 3 0 1 0-2.8-4M3 13h15.5a2.5 2.5 0 1 1-2.4 3.3M3 17h8a2 2 0 1 1-1.9 2.7'],
  ['droplet', DROP],
  ['thermometer', 'M9.5 13.5v-8a2.5 2.5 0 0 1 5 0v8a4.5 4.5 0 1 1-5 0zM12 9v8'],
  ['square', FRAME],
  ['check-square', SQUARE_CHECK],
  ['list', 'M9 6.5h11M9 12h11M9 17.5h11M4.5 6.5h.01M4.5 12h.01M4.5 17.5h.01'],
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
  ['circle-check-big', 'check-circle'],
  ['cloud-drizzle', 'cloud-rain'],
  ['cloudy', 'cloud'],
  ['code', 'square-code'],
  ['droplets', 'droplet'],
  ['square-check', 'check-square'],
  ['square-check-big', 'check-square'],
  ['list-todo', 'check-square'],
  ['pencil', 'write'],
  ['refresh-cw', 'reload'],
  ['rotate-cw', 'reload'],
  ['snowflake', 'cloud-snow'],
  ['trash-2', 'trash'],
  ['triangle-alert', 'warning'],
  ['upload', 'share'],
  ['x', 'close'],
  ['zap', 'bolt'],
  ['circle', 'empty-circle'],
  ['help-circle', 'circle-question'],
]);

function findDrawing(name: unknown): {readonly path: string; readonly solid: boolean} | undefined {
  if (typeof name !== 'string') return undefined;
  const plain = name.replace(/^lucide:/, '');
  const known = ALIASES.get(plain) ?? plain;
  const solid = SOLIDS.get(known);
  if (solid !== undefined) return {path: solid, solid: true};
  const outline = OUTLINES.get(known);
  return outline === undefined ? undefined : {path: outline, solid: false};
}

/** Whether `icon(name)` draws something; an unknown name keeps its room but stays empty. */
export function hasIcon(name: unknown): boolean {
  return findDrawing(name) !== undefined;
}

/**
 * An inline SVG in the current text colour, hidden from assistive technology.
 *
 * @param name Any value; names of ChatKit, with or without `lucide:`.
 * @param size Width and height as SVG attributes take them, for example `16` or `1em`.
 */
export function icon(name: unknown, size = '1.25em'): TemplateResult {
  const drawing = findDrawing(name);
  return html`<svg
    class="icon"
    part="icon"
    width=${size}
    height=${size}
    viewBox="0 0 24 24"
    fill=${drawing?.solid ? 'currentColor' : 'none'}
    fill-rule="evenodd"
    stroke=${drawing?.solid ? 'none' : 'currentColor'}
    stroke-width="1.75"
    stroke-linecap="round"
    stroke-linejoin="round"
    aria-hidden="true"
    focusable="false"
  ><path d=${drawing?.path ?? ''}></path></svg>`;
}
