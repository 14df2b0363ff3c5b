/** Renderers of Badge, Icon and Image. */
import {html, nothing} from 'lit';
import {icon} from '../icons/icons.js';
import {type Choice, type Every, oneOf, textOf} from './nodes.js';
import type {Renderer} from './scope.js';
import {styled} from './styled.js';
import {backgroundOf, blockStyle, colorOf, imageSource, lengthOf} from './values.js';

/** A badge up to this length is never cut off beside a long text: two letters would mean nothing. */
const MAX_SHORT_CHARS = 12;

export const renderBadge: Renderer<'Badge'> = node => {
  const color = oneOf<Choice<'Badge', 'color'>>(
    node.color,
    {secondary: 1, success: 1, danger: 1, warning: 1, info: 1, discovery: 1},
    'secondary',
  );
  const variant = oneOf<Choice<'Badge', 'variant'>>(node.variant, {solid: 1, soft: 1, outline: 1}, 'soft');
  const size = oneOf<Choice<'Badge', 'size'>>(node.size, {sm: 1, md: 1, lg: 1}, 'sm');
  const label = textOf(node.label);
  return html`<span
    class="badge v-${variant} c-${color} b-${size} ${node.pill === true ? 'pill' : ''}"
    ?data-short=${label.length <= MAX_SHORT_CHARS}
    dir="auto"
    >${label}</span
  >`;
};

const ICON_PX = {xs: 14, sm: 16, md: 18, lg: 20, xl: 22, '2xl': 24, '3xl': 32} as const satisfies Every<
  Choice<'Icon', 'size'>
>;

/** Renders an icon; sizes are names, but servers also send pixels. */
export const renderIcon: Renderer<'Icon'> = node => {
  const named = oneOf(node.size, ICON_PX, undefined);
  const size = named === undefined ? (lengthOf(node.size) ?? `${ICON_PX.md}px`) : `${ICON_PX[named]}px`;
  return html`<span class="glyph" ${styled({color: colorOf(node.color, 'text'), width: size, height: size})}
    >${icon(node.name, '100%')}</span
  >`;
};

// biome-ignore format: a list
const POSITIONS: Every<Choice<'Image', 'position'>> = {
  'top left': 1, top: 1, 'top right': 1, left: 1, center: 1, right: 1, 'bottom left': 1, bottom: 1, 'bottom right': 1,
};

/** Marks the box of a picture that could not be loaded, which then shows the alternative text. */
const markBroken = (event: Event) => (event.currentTarget as Element).parentElement?.classList.add('is-broken');
const markLoaded = (event: Event) => (event.currentTarget as Element).parentElement?.classList.remove('is-broken');

export const renderImage: Renderer<'Image'> = (node, scope) => {
  const source = imageSource(node.src);
  const alt = textOf(node.alt);
  const fit = oneOf<Choice<'Image', 'fit'>>(
    node.fit,
    {cover: 1, contain: 1, fill: 1, 'scale-down': 1, none: 1},
    'cover',
  );
  // Frame and flush are attributes, since Lit would remove the class `is-broken` with other classes.
  return html`<span
    class="image"
    ?data-frame=${node.frame === true}
    ?data-flush=${node.flush === true}
    ?data-missing=${source === undefined}
    ${styled({...blockStyle(node), background: backgroundOf(node.background, scope.scheme)})}
    >${
      source === undefined
        ? nothing
        : html`<img
            src=${source}
            alt=${alt}
            loading="lazy"
            decoding="async"
            referrerpolicy="no-referrer"
            draggable="false"
            @error=${markBroken}
            @load=${markLoaded}
            ${styled({'object-fit': fit, 'object-position': oneOf(node.position, POSITIONS, undefined)})}
          />`
    }${alt === '' ? nothing : html`<span class="image-alt" dir="auto">${alt}</span>`}</span
  >`;
};
