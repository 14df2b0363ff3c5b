/** The renderers by component type. A missing renderer does not compile; unknown types render their children. */
import {html, nothing} from 'lit';
import {renderButton} from './button.js';
import {renderBasic, renderCard, renderListView, renderListViewItem} from './containers.js';
import {renderCheckbox, renderInput, renderRadioGroup, renderTextarea} from './controls.js';
import {renderBox, renderCol, renderDivider, renderForm, renderRow, renderSpacer, renderTransition} from './layout.js';
import {renderLazyChart} from './lazy-chart.js';
import {renderBadge, renderIcon, renderImage} from './media.js';
import type {AnyNode, WidgetType} from './nodes.js';
import {renderDatePicker, renderSelect} from './pickers.js';
import type {Rendered, Renderer, Scope} from './scope.js';
import {renderTable, renderTableCell, renderTableRow} from './table.js';
import {renderCaption, renderLabel, renderMarkdown, renderText, renderTitle} from './text.js';

export const renderers = {
  Badge: renderBadge,
  Basic: renderBasic,
  Box: renderBox,
  Button: renderButton,
  Caption: renderCaption,
  Card: renderCard,
  Chart: renderLazyChart,
  Checkbox: renderCheckbox,
  Col: renderCol,
  DatePicker: renderDatePicker,
  Divider: renderDivider,
  Form: renderForm,
  Icon: renderIcon,
  Image: renderImage,
  Input: renderInput,
  Label: renderLabel,
  ListView: renderListView,
  ListViewItem: renderListViewItem,
  Markdown: renderMarkdown,
  RadioGroup: renderRadioGroup,
  Row: renderRow,
  Select: renderSelect,
  Spacer: renderSpacer,
  Table: renderTable,
  'Table.Cell': renderTableCell,
  'Table.Row': renderTableRow,
  Text: renderText,
  Textarea: renderTextarea,
  Title: renderTitle,
  Transition: renderTransition,
} satisfies {readonly [T in WidgetType]: Renderer<T>};

/** Renders a component that is newer than this client: its children as a column. */
function renderUnknown(node: AnyNode, scope: Scope): Rendered {
  const children = scope.children(node.children);
  return children === nothing ? nothing : html`<div class="box col">${children}</div>`;
}

/** Whether there is a renderer for this component type. */
export function isKnown(type: string): boolean {
  return Object.hasOwn(renderers, type);
}

export function rendererFor(node: AnyNode): (node: AnyNode, scope: Scope) => Rendered {
  return isKnown(node.type)
    ? (renderers[node.type as WidgetType] as (node: AnyNode, scope: Scope) => Rendered)
    : renderUnknown;
}
