/** SVG paths that icons of the core and of the lazy part have in common. */
export const CIRCLE = 'M12 3a9 9 0 1 1 0 18a9 9 0 0 1 0-18z';
export const FRAME = 'M5.5 4h13a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2h-13a2 2 0 0 1-2-2v-12a2 2 0 0 1 2-2z';
export const PENCIL = 'M4.5 19.5l1-4.5l10.5-10.5a2.1 2.1 0 0 1 3 0l.5.5a2.1 2.1 0 0 1 0 3l-10.5 10.5zM14 6.5l3.5 3.5';
export const COMPOSE =
  'M12 4.5h-5.5a2 2 0 0 0-2 2v11a2 2 0 0 0 2 2h11a2 2 0 0 0 2-2v-5.5M9.5 14.5l.6-2.9l7.7-7.7a1.6 1.6 0 0 1 2.3 2.3l-7.7 7.7z';
