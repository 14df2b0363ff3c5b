/** Renderers of layout components: Box, Row, Col, Form, Divider, Spacer, Transition. */
import {html} from 'lit';
import {layoutAnimation} from './layout-animation.js';
import {isNode} from './nodes.js';
import type {Renderer} from './scope.js';
import {styled} from './styled.js';
import {boxStyle, colorOf, lengthOf, spacingOf} from './values.js';

export const renderBox: Renderer<'Box'> = (node, scope) =>
  html`<div class="box ${node.direction === 'row' ? 'row' : 'col'}" ${styled(boxStyle(node, scope.scheme))}>
    ${scope.children(node.children)}
  </div>`;

export const renderRow: Renderer<'Row'> = (node, scope) =>
  html`<div class="box row" ${styled(boxStyle(node, scope.scheme))}>${scope.children(node.children)}</div>`;

export const renderCol: Renderer<'Col'> = (node, scope) =>
  html`<div class="box col" ${styled(boxStyle(node, scope.scheme))}>${scope.children(node.children)}</div>`;

export const renderForm: Renderer<'Form'> = (node, scope) => {
  const form = {path: scope.path, action: node.onSubmitAction, trigger: 'submit'} as const;
  const submit = (event: Event) => {
    event.preventDefault();
    event.stopPropagation();
    scope.host.submit(form, event.currentTarget as Element);
  };
  return html`<form
    class="box ${node.direction === 'row' ? 'row' : 'col'}"
    novalidate
    @submit=${submit}
    ${styled(boxStyle(node, scope.scheme))}
  >
    ${scope.children(node.children, {form})}
  </form>`;
};

export const renderDivider: Renderer<'Divider'> = node =>
  html`<hr
    class="divider ${node.flush === true ? 'flush' : ''}"
    ${styled({
      '--w-line': lengthOf(node.size),
      'border-color': colorOf(node.color, 'border'),
      '--w-space': spacingOf(node.spacing),
    })}
  />`;

export const renderSpacer: Renderer<'Spacer'> = node =>
  html`<div class="spacer" ${styled({'min-width': lengthOf(node.minSize), 'min-height': lengthOf(node.minSize)})}></div>`;

export const renderTransition: Renderer<'Transition'> = (node, scope) =>
  // Only one child: with a new key or type it becomes a new element, which fades in.
  html`<div class="transition" ${layoutAnimation(node.children, scope.host.streaming)}>
    ${scope.nodes((Array.isArray(node.children) ? node.children : [node.children]).filter(isNode).slice(0, 1))}
  </div>`;
