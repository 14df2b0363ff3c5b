/** Renderers of the roots and of list items: Card, ListView, ListViewItem, Basic. */
import {html, nothing} from 'lit';
import {icon} from '../icons/icons.js';
import {parseAction} from './actions.js';
import {cardButton} from './button.js';
import {fieldId} from './field-parts.js';
import {type Choice, childNodes, isRecord, nameOf, numberOf, oneOf, textOf} from './nodes.js';
import type {Rendered, Renderer, Scope} from './scope.js';
import {styled} from './styled.js';
import {backgroundOf, borderSides, flexStyle, imageSource, paddingOf, type Scheme} from './values.js';

/** Returns the colour scheme that a root sets for its subtree, as a class and for the scopes below. */
function themeOf(theme: unknown, scope: Scope): {className: string; scheme: Scheme} {
  const forced = oneOf<Choice<'Card' | 'ListView' | 'Basic', 'theme'>>(theme, {light: 1, dark: 1}, undefined);
  return {className: forced === undefined ? '' : `theme theme-${forced}`, scheme: forced ?? scope.scheme};
}

function renderStatus(status: unknown): Rendered {
  const text = isRecord(status) ? textOf(status.text) : '';
  if (!isRecord(status) || text === '') {
    return nothing;
  }
  const favicon = imageSource(status.favicon);
  const mark =
    favicon === undefined
      ? nameOf(status.icon) === undefined
        ? nothing
        : icon(status.icon, '16px')
      : html`<img
          class=${status.frame === true ? 'favicon framed' : 'favicon'}
          src=${favicon}
          alt=""
          referrerpolicy="no-referrer"
        />`;
  return html`<div class="status">${mark}<span dir="auto">${text}</span></div>`;
}

/** Returns the first text in a tree, which a collapsed card without a status shows. */
function findFirstText(children: unknown, depth = 0): string {
  for (const node of depth > 8 ? [] : childNodes(children)) {
    const text = /^(?:Title|Text|Caption)$/.test(node.type)
      ? textOf(node.value)
      : findFirstText(node.children, depth + 1);
    if (text !== '') {
      return text;
    }
  }
  return '';
}

export const renderCard: Renderer<'Card'> = (node, scope) => {
  const {className, scheme} = themeOf(node.theme, scope);
  const size = oneOf<Choice<'Card', 'size'>>(node.size, {sm: 1, md: 1, lg: 1, full: 1}, 'md');
  const isCollapsed = node.collapsed === true;
  const asForm = node.asForm === true;
  const confirm = isRecord(node.confirm) ? node.confirm : undefined;
  const form = asForm ? ({path: scope.path, action: confirm?.action, trigger: 'confirm'} as const) : undefined;
  const hasFooter = confirm !== undefined || isRecord(node.cancel);
  const status = renderStatus(node.status);
  const body = isCollapsed
    ? status === nothing
      ? renderStatus({text: findFirstText(node.children)})
      : status
    : html`${status}
        <div class="card-body" ${styled(paddingOf(node.padding))}>
          ${scope.children(node.children, form === undefined ? {scheme} : {scheme, form})}
        </div>
        ${
          hasFooter
            ? html`<div class="card-footer">
                ${cardButton('cancel', node.cancel, scope, asForm)}${cardButton('confirm', confirm, scope, asForm)}
              </div>`
            : nothing
        }`;
  const kind = `card card-${size} ${isCollapsed ? 'is-collapsed' : ''} ${className}`;
  const style = styled({...borderSides(node.border), background: backgroundOf(node.background, scheme)});
  if (form === undefined) {
    return html`<section class=${kind} ${style}>${body}</section>`;
  }
  const submit = (event: Event) => {
    event.preventDefault();
    event.stopPropagation();
    scope.host.submit(form, event.currentTarget as Element);
  };
  return html`<form class=${kind} novalidate @submit=${submit} ${style}>${body}</form>`;
};

/** Rows shown for `limit: "auto"`, about as many as fit on a phone. */
const AUTO_LIMIT = 5;

export const renderListView: Renderer<'ListView'> = (node, scope) => {
  const {host, path} = scope;
  const {className, scheme} = themeOf(node.theme, scope);
  const rows = childNodes(node.children);
  const requested = node.limit === 'auto' ? AUTO_LIMIT : Math.floor(numberOf(node.limit) ?? 0);
  const limit = requested >= 1 ? requested : rows.length;
  const isExpanded = host.recall(path) === true;
  const hidden = rows.length - limit;
  return html`<section class="card card-full list ${className}">
    ${renderStatus(node.status)}
    <div class="rows" role="list">
      ${scope.nodes(isExpanded ? rows : rows.slice(0, limit), {scheme})}
    </div>
    ${
      hidden > 0
        ? html`<button
            class="more"
            type="button"
            aria-expanded=${isExpanded}
            @click=${() => host.remember(path, !isExpanded)}
          >
            ${isExpanded ? host.messages.showLess : host.messages.showMore(hidden)}
            ${icon(isExpanded ? 'chevron-up' : 'chevron-down', '16px')}
          </button>`
        : nothing
    }
  </section>`;
};

/** Elements that handle clicks themselves. */
const CONTROLS = 'button, input, select, textarea, a, label, .plot';

export const renderListViewItem: Renderer<'ListViewItem'> = (node, scope) => {
  const {host, path, form} = scope;
  const style = styled(flexStyle(node));
  const action = parseAction(node.onClickAction);
  if (action === null) {
    return html`<div class="list-item" role="listitem">
      <div class="list-content row" ${style}>${scope.children(node.children)}</div>
    </div>`;
  }
  const contentId = `${fieldId(path)}-content`;
  const isHeld = host.isBlocked(action) || host.isLoading(path);
  const click = (event: Event) => {
    const control = (event.target as Element).closest(CONTROLS);
    if (!isHeld && (control === null || control.classList.contains('hit'))) {
      host.fire({action, trigger: 'row', path, element: event.currentTarget as Element, form});
    }
  };
  // A button must not contain other controls, so it lies below the content for keyboards and screen readers; the whole
  // row is clickable.
  return html`<div class="list-item is-action" role="listitem" @click=${click}>
    <button
      class="hit"
      type="button"
      aria-labelledby=${contentId}
      aria-disabled=${isHeld ? 'true' : nothing}
      aria-busy=${host.isLoading(path) ? 'true' : nothing}
    ></button>
    <div class="list-content row" id=${contentId} ${style}>${scope.children(node.children)}</div>
    ${host.isLoading(path) ? html`<span class="spinner" aria-hidden="true"></span>` : nothing}
  </div>`;
};

export const renderBasic: Renderer<'Basic'> = (node, scope) => {
  const {className, scheme} = themeOf(node.theme, scope);
  return html`<div
    class="box basic ${node.direction === 'row' ? 'row' : 'col'} ${className}"
    ${styled(flexStyle(node))}
  >
    ${scope.children(node.children, {scheme})}
  </div>`;
};
