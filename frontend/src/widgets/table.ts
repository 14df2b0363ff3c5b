/** Renderers of Table, Table.Row and Table.Cell. */
import {html} from 'lit';
import {type AnyNode, type Choice, childNodes, type Every, numberOf, oneOf} from './nodes.js';
import type {Renderer} from './scope.js';
import {styled} from './styled.js';
import {lengthOf, spacingSides} from './values.js';

const MAX_SPAN = 100;

export const renderTable: Renderer<'Table'> = (node, scope) =>
  html`<div class="table-scroll" role="group">
    <table class="table">
      <tbody>
        ${scope.children(node.children)}
      </tbody>
    </table>
  </div>`;

export const renderTableRow: Renderer<'Table.Row'> = (node, scope) => {
  // A cell does not know its row, so the row tells each cell whether it is a header.
  const cells = childNodes(node.children).map((cell): AnyNode => ({...cell, isHeader: node.header === true}));
  return html`<tr class=${node.header === true ? 'header' : ''}>
    ${scope.nodes(cells)}
  </tr>`;
};

function spanOf(value: unknown): number {
  return Math.max(1, Math.min(MAX_SPAN, Math.floor(numberOf(value) ?? 1)));
}

const VERTICAL_ALIGN = {start: 'top', center: 'middle', end: 'bottom'} as const satisfies Every<
  Choice<'Table.Cell', 'vAlign'>
>;

export const renderTableCell: Renderer<'Table.Cell'> = (node, scope) => {
  const align = oneOf<Choice<'Table.Cell', 'align'>>(node.align, {start: 1, center: 1, end: 1}, undefined);
  const vAlign = oneOf(node.vAlign, VERTICAL_ALIGN, undefined);
  const size = oneOf<Choice<'Table.Cell', 'colSize'>>(node.colSize, {xs: 1, sm: 1, md: 1, lg: 1, xl: 1}, undefined);
  const style = styled({
    width: lengthOf(node.width),
    'text-align': align,
    'vertical-align': vAlign === undefined ? undefined : VERTICAL_ALIGN[vAlign],
    ...spacingSides('padding', node.padding),
  });
  const kind = `cell ${align ?? ''} ${size === undefined ? '' : `col-${size}`}`;
  const content = html`<div class="cell-content">${scope.children(node.children)}</div>`;
  return (node as AnyNode).isHeader === true
    ? html`<th scope="col" class=${kind} colspan=${spanOf(node.colSpan)} rowspan=${spanOf(node.rowSpan)} ${style}>${content}</th>`
    : html`<td class=${kind} colspan=${spanOf(node.colSpan)} rowspan=${spanOf(node.rowSpan)} ${style}>${content}</td>`;
};
