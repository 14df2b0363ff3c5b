/** Modules of the core that lazy parts use instead of copies of their own: Lit, strings, intents, styles, views. */
import {css, html, LitElement, noChange, nothing, svg, unsafeCSS} from 'lit';
import {live} from 'lit/directives/live.js';
import {repeat} from 'lit/directives/repeat.js';
import {hasIcon, icon} from './icons/icons.js';
import {express, IntentEvent, relayTo} from './intents.js';
import {isSafeImage, isSafeLink, isShowable} from './links.js';
import {isObject} from './protocol/parsing.js';
import {strings} from './strings.js';
import {toEntity} from './views/annotations.js';
import {exportedParts} from './views/exported-parts.js';
import {renderLazy} from './views/lazy-view.js';
import {originOf, parseSource} from './views/source.js';
import {barStyles, baseStyles, buttonStyles, lazyStyles, shimmerStyles} from './views/styles.js';
import {controlsOf, FIELD_ATTRIBUTE, fieldPath, fieldValue, partsOf, resetField, startOf} from './widgets/fields.js';

/** The shared names, by their module: the build of the parts (`bundles.ts`) puts these in place of the modules. */
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
  'src/widgets/fields.ts': {controlsOf, FIELD_ATTRIBUTE, fieldPath, fieldValue, partsOf, resetField, startOf},
  'src/intents.ts': {express, IntentEvent, relayTo},
  'src/views/source.ts': {originOf, parseSource},
  'src/views/styles.ts': {barStyles, baseStyles, buttonStyles, lazyStyles, shimmerStyles},
} satisfies Readonly<Record<string, Readonly<Record<string, unknown>>>>;

// Parts are modules of their own and the core is a script without exports: the registry of symbols is where they meet.
const PLACE = Symbol.for('parlor.core');

/** Only the script that has defined the elements may do this. */
export function shareWithParts(): void {
  Object.defineProperty(globalThis, PLACE, {value: shared, configurable: true});
}
