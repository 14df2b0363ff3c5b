/** Modules of the core that lazy parts share instead of bundling copies: Lit, strings, intents, styles, views. */
import {css, html, LitElement, noChange, nothing, svg, unsafeCSS} from 'lit';
import {live} from 'lit/directives/live.js';
import {repeat} from 'lit/directives/repeat.js';
import {hasIcon, icon} from './icons/icons.js';
import {dispatch, IntentEvent, relayTo} from './intents.js';
import {isSafeImage, isSafeLink, isShowable} from './links.js';
import {isObject} from './protocol/parsing.js';
import {strings} from './strings.js';
import {toEntity} from './views/annotations.js';
import {exportedParts} from './views/exported-parts.js';
import {renderLazy} from './views/lazy-view.js';
import {originOf, parseSource} from './views/source.js';
import {barStyles, baseStyles, buttonStyles, lazyStyles, shimmerStyles} from './views/styles.js';
import {
  controlsOf,
  defaultStateOf,
  FIELD_ATTRIBUTE,
  fieldPath,
  fieldValue,
  partsOf,
  resetField,
} from './widgets/fields.js';

/** The shared exports by module: the build of the parts (`bundles.ts`) replaces the modules by these. */
const shared = {
  lit: {css, html, LitElement, noChange, nothing, svg, unsafeCSS},
  'lit/directives/live.js': {live},
  'lit/directives/repeat.js': {repeat},
  'src/icons/icons.ts': {hasIcon, icon},
  'src/links.ts': {isSafeImage, isSafeLink, isShowable},
  'src/protocol/parsing.ts': {isObject},
  'src/strings.ts': {strings},
  'src/views/annotations.ts': {toEntity},
  'src/views/exported-parts.ts': {exportedParts},
  'src/views/lazy-view.ts': {renderLazy},
  'src/widgets/fields.ts': {controlsOf, defaultStateOf, FIELD_ATTRIBUTE, fieldPath, fieldValue, partsOf, resetField},
  'src/intents.ts': {dispatch, IntentEvent, relayTo},
  'src/views/source.ts': {originOf, parseSource},
  'src/views/styles.ts': {barStyles, baseStyles, buttonStyles, lazyStyles, shimmerStyles},
} satisfies Readonly<Record<string, Readonly<Record<string, unknown>>>>;

// Parts are modules and the core is a script without exports: they share a global symbol.
const CORE_KEY = Symbol.for('parlor.core');

/** Publishes the shared modules; only called by the script that has defined the elements. */
export function shareWithParts(): void {
  Object.defineProperty(globalThis, CORE_KEY, {value: shared, configurable: true});
}
