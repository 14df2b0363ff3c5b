/** The lazy part with ChatKit's rarer icons, mostly of header buttons, and some of our own. */
import {CIRCLE, COMPOSE, FRAME, PENCIL} from '../icons/icon-shapes.js';

const CLOSED_BOOK = 'M6.5 3.5h12v17h-12a2 2 0 0 1-2-2v-13a2 2 0 0 1 2-2zM4.5 18a2 2 0 0 1 2-2h12';
const CLOUD = 'M7 18.5a4 4 0 0 1-.4-8a5.5 5.5 0 0 1 10.6-.9a4.5 4.5 0 0 1-.2 8.9z';
const HIGH_CLOUD = 'M7 14.5a3.7 3.7 0 0 1-.4-7.4a5.5 5.5 0 0 1 10.6-.8a4.2 4.2 0 0 1-.2 8.2z';
const BUBBLE = 'M4 5.5h16v11h-9l-4.5 4v-4h-2.5z';
const SUN =
  'M12 8a4 4 0 1 1 0 8a4 4 0 0 1 0-8zM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4';
const MOON = 'M19.5 14.5a8 8 0 0 1-10-10a8 8 0 1 0 10 10z';
const DOTS_H =
  'M4.4 12a.6.6 0 1 0 1.2 0a.6.6 0 1 0-1.2 0M11.4 12a.6.6 0 1 0 1.2 0a.6.6 0 1 0-1.2 0M18.4 12a.6.6 0 1 0 1.2 0a.6.6 0 1 0-1.2 0';
const DOTS_V =
  'M11.4 5a.6.6 0 1 0 1.2 0a.6.6 0 1 0-1.2 0M11.4 12a.6.6 0 1 0 1.2 0a.6.6 0 1 0-1.2 0M11.4 19a.6.6 0 1 0 1.2 0a.6.6 0 1 0-1.2 0';
const HALF_LEFT = `${FRAME}M9.5 4v16`;
const HALF_RIGHT = `${FRAME}M14.5 4v16`;
const SQUARE_CHECK = `${FRAME}M8 12.2l2.8 2.8l5.2-5.8`;
const SNOW = `${HIGH_CLOUD}M8 18v.01M12 20v.01M16 18v.01M12 17v.01`;
const DROP = 'M12 3.5c3.7 4.3 5.7 7.6 5.7 10.6a5.7 5.7 0 0 1-11.4 0c0-3 2-6.3 5.7-10.6z';

/** The outline path of each icon, on a 24-unit grid. */
export const icons: ReadonlyMap<string, string> = new Map<string, string>([
  ['agent', 'M6 8.5h12a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2h-12a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2zM12 4v4.5M9 13.5v1M15 13.5v1'],
  ['analytics', 'M4 20h16M6.5 20v-6M12 20v-11M17.5 20v-15'],
  [
    'atom',
    'M12 12v.01M12 8c5 0 9 1.8 9 4s-4 4-9 4s-9-1.8-9-4s4-4 9-4zM8.5 14c-2.5-4.3-3-8.7-1-9.8s5.5 1.5 8 5.8s3 8.7 1 9.8s-5.5-1.5-8-5.8z',
  ],
  ['batch', 'M12 3.5l8.5 4.5l-8.5 4.5l-8.5-4.5zM3.5 12l8.5 4.5l8.5-4.5M3.5 16l8.5 4.5l8.5-4.5'],
  ['book-closed', CLOSED_BOOK],
  ['book-clock', `${CLOSED_BOOK}M12 6.5v3.5l2 1.2`],
  [
    'bug',
    'M8 9.5a4 4 0 0 1 8 0v5a4 4 0 0 1-8 0zM8 12h-4.5M20.5 12h-4.5M8 9l-3.5-2.5M16 9l3.5-2.5M8 15.5l-3.5 2.5M16 15.5l3.5 2.5M12 12v6',
  ],
  ['compass', `${CIRCLE}M15.5 8.5l-2 5l-5 2l2-5z`],
  [
    'confetti',
    'M4 20l4-10.5l6.5 6.5zM13 9c1.5-1 2-2.5 1.5-4.5M15 11c1.5-1.5 3.5-1.8 5.5-1M18 5v.01M20.5 15v.01M9.5 4.5v.01',
  ],
  ['cube', 'M12 3l8 4.5v9l-8 4.5l-8-4.5v-9zM4 7.5l8 4.5l8-4.5M12 12v9'],
  ['desktop', 'M4.5 4.5h15a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1h-15a1 1 0 0 1-1-1v-10a1 1 0 0 1 1-1zM8.5 20h7M12 16.5v3.5'],
  ['dots-horizontal', DOTS_H],
  ['dots-vertical', DOTS_V],
  ['dots-horizontal-circle', `${CIRCLE}M8 12h.01M12 12h.01M16 12h.01`],
  ['dots-vertical-circle', `${CIRCLE}M12 8v.01M12 12v.01M12 16v.01`],
  ['keys', 'M8 11.5a4.5 4.5 0 1 1 0 9a4.5 4.5 0 0 1 0-9zM11.2 12.8l8.3-8.3M16 8l2.5 2.5M13.5 10.5l1.5 1.5'],
  ['lab', 'M9.5 3.5h5M10.5 3.5v6l-5.5 9a1.4 1.4 0 0 0 1.2 2h11.6a1.4 1.4 0 0 0 1.2-2l-5.5-9v-6M8 15h8'],
  [
    'lifesaver',
    `${CIRCLE}M12 8.5a3.5 3.5 0 1 1 0 7a3.5 3.5 0 0 1 0-7zM5.7 5.7l3.8 3.8M14.5 14.5l3.8 3.8M18.3 5.7l-3.8 3.8M9.5 14.5l-3.8 3.8`,
  ],
  [
    'mobile',
    'M8.5 3h7a1.5 1.5 0 0 1 1.5 1.5v15a1.5 1.5 0 0 1-1.5 1.5h-7a1.5 1.5 0 0 1-1.5-1.5v-15a1.5 1.5 0 0 1 1.5-1.5zM11 18h2',
  ],
  ['name', 'M4 18.5l4.5-13l4.5 13M5.5 14.5h6M15.5 18.5h5'],
  [
    'profile-card',
    `${FRAME}M8.5 8.5a2 2 0 1 1 0 4a2 2 0 0 1 0-4zM5.8 16.5c.3-1.4 1.3-2 2.7-2s2.4.6 2.7 2M14 10h4M14 14h4`,
  ],
  [
    'wreath',
    'M9 20c-4-1-6-4-6-8c0-3 1-5.5 3-7.5M15 20c4-1 6-4 6-8c0-3-1-5.5-3-7.5M4 9l2.5 1.5M3.5 14l3-.5M6 18l2-2M20 9l-2.5 1.5M20.5 14l-3-.5M18 18l-2-2',
  ],
  ['write-alt', `${PENCIL}M13 20h7`],
  ['write-alt2', COMPOSE],
  ['hamburger', 'M4 7h16M4 12h16M4 17h16'],
  ['menu-inverted', 'M4 7h16M4 12h10M4 17h16'],
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
