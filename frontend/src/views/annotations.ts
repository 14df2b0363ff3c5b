/** Citations within the text of an answer, as markers for `<parlor-markdown>`. */
import {css, html, render} from 'lit';
import type {EntityRef} from '../composer/composer-options.js';
import {hasIcon, icon} from '../icons/icons.js';
import {dispatch} from '../intents.js';
import type {Marker} from '../markdown/incremental-blocks.js';
import type {Annotation} from '../protocol/types.js';
import {strings} from '../strings.js';
import {exportedParts} from './exported-parts.js';
import {type EntitySource, groupByIndex, originOf, type Source} from './source.js';

export const citationStyles = css`
  .cites {
    white-space: nowrap;
  }
  .cite {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    min-inline-size: 1.65em;
    max-inline-size: 14em;
    block-size: 1.65em;
    margin-inline: 0.2em 0;
    padding-inline: 0.45em;
    border-radius: var(--chatkit-radius-full);
    background: var(--chatkit-alpha-06);
    color: var(--chatkit-text-secondary);
    font-size: 0.72em;
    font-weight: 500;
    line-height: 1;
    text-decoration: none;
    vertical-align: 0.12em;
    font-variant-numeric: tabular-nums;
    transition: background var(--chatkit-duration);
  }
  button.cite {
    margin-block: 0;
    border: 0;
    font-family: inherit;
    cursor: pointer;
  }
  :is(a, button).cite:hover {
    background: var(--chatkit-active);
    color: var(--chatkit-text-primary);
  }
  .cite .label {
    overflow: hidden;
    text-overflow: ellipsis;
  }
  @media (forced-colors: active) {
    .cite {
      border: 1px solid currentColor;
    }
  }
`;

const NO_MARKERS: readonly Marker[] = [];
const built = new WeakMap<
  readonly Annotation[],
  {readonly sources: readonly Source[]; readonly markers: readonly Marker[]}
>();

/**
 * Builds the markers for a text: one per position, with all sources that are cited there.
 *
 * @param sources The sources of the whole answer; markers show the numbers in this list.
 */
export function buildMarkers(annotations: readonly Annotation[], sources: readonly Source[]): readonly Marker[] {
  if (annotations.length === 0) return NO_MARKERS;
  const cached = built.get(annotations);
  if (cached?.sources === sources) return cached.markers;
  const markers = [...groupByIndex(annotations)].map(([index, group]): Marker => {
    const cites = group.map(source => ({source, number: sources.findIndex(({key}) => key === source.key) + 1}));
    return {
      index,
      key: cites.map(({source, number}) => `${number} ${source.key}`).join(' '),
      build: () => {
        const place = document.createElement('span');
        place.className = 'cites';
        render(
          cites.map(({source, number}) => cite(source, number)),
          place,
        );
        return place;
      },
    };
  });
  built.set(annotations, {sources, markers});
  return markers;
}

function cite(source: Source, number: number) {
  const name = strings.source(number, source.title);
  if (source.type === 'entity') return citeEntity(source, number, name);
  const origin = source.type === 'url' ? originOf(source) : undefined;
  const hint = origin === undefined ? source.title : `${source.title} – ${origin}`;
  if (source.type === 'url' && source.url !== undefined) {
    return html`<a
      class="cite"
      part="citation"
      href=${source.url}
      target="_blank"
      rel="noopener noreferrer"
      title=${hint}
      aria-label=${name}
      >${number}</a
    >`;
  }
  // A file has no URL: its details are in the list below the answer.
  return html`<button
    type="button"
    class="cite"
    part="citation"
    title=${hint}
    aria-label=${name}
    @click=${(event: Event) => event.target && dispatch(event.target, {type: 'show-source', key: source.key})}
    >${number}</button
  >`;
}

function citeEntity(source: EntitySource, number: number, name: string) {
  const label = source.inlineLabel ?? (hasIcon(source.icon) ? icon(source.icon, '1.2em') : String(number));
  if (source.interactive) {
    return html`<parlor-entity-tag exportparts=${exportedParts} class="entity" .entity=${toEntity(source)} .label=${label}></parlor-entity-tag>`;
  }
  return html`<span class="cite" part="citation" role="img" title=${source.title} aria-label=${name}
    ><span class="label">${label}</span></span
  >`;
}

/** Converts a source into the entity that the page's callbacks receive. */
export function toEntity({id, title, icon: glyph, group, data}: EntitySource): EntityRef {
  return {
    id,
    title,
    data,
    interactive: true,
    ...(glyph === undefined ? {} : {icon: glyph}),
    ...(group === undefined ? {} : {group}),
  };
}
