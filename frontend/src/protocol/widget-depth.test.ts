/** The deepest widget that a server may send, on its way through the client. */
import {afterEach, describe, expect, it} from 'vitest';
import {reduceItem} from '../thread/item-updates.js';
import type {WidgetActionDetail} from '../widgets/actions.js';
import {WidgetView} from '../widgets/widget-view.js';
import type {JSONObject, WidgetItem} from './types.js';
import {MAX_WIDGET_DEPTH} from './widget-depth.js';

customElements.define('parlor-widget', WidgetView);

afterEach(() => document.body.replaceChildren());

/** A card with `leaf` so many levels below it, each level a box with a list of children, or with a single child. */
function nest(leaf: JSONObject, levels: number, isList: boolean): JSONObject {
  let tree = leaf;
  for (let level = levels - 1; level > 0; level -= 1) tree = {type: 'Box', children: isList ? [tree] : tree};
  return {type: 'Card', children: isList ? [tree] : tree};
}

async function show(widget: JSONObject): Promise<{readonly root: ShadowRoot; readonly actions: WidgetActionDetail[]}> {
  const view = new WidgetView();
  const actions: WidgetActionDetail[] = [];
  view.addEventListener('widget-action', event => actions.push((event as CustomEvent<WidgetActionDetail>).detail));
  view.widget = widget;
  document.body.append(view);
  await view.updateComplete;
  return {root: view.shadowRoot as ShadowRoot, actions};
}

describe.each([true, false])('of a tree of components, in lists: %s,', isList => {
  const button = {type: 'Button', label: 'Save', onClickAction: {type: 'save'}};
  const update = {type: 'widget.component.updated', componentId: 'text', component: {type: 'Text'}} as const;
  const text = (levels: number): WidgetItem => {
    const widget = nest({type: 'Text', id: 'text', value: 'old'}, levels, isList);
    return {id: 'item', type: 'widget', widget, copyText: undefined};
  };

  it('the deepest level is drawn, and offers its actions', async () => {
    const {root, actions} = await show(nest(button, MAX_WIDGET_DEPTH, isList));
    root.querySelector('button')?.click();
    expect(actions.map(({action}) => action.type)).toEqual(['save']);
  });

  it('one level more is left out', async () => {
    const {root} = await show(nest(button, MAX_WIDGET_DEPTH + 1, isList));
    expect(root.querySelectorAll('.box')).toHaveLength(MAX_WIDGET_DEPTH);
    expect(root.querySelector('button')).toBeNull();
  });

  it('updates reach the deepest level that is drawn, and no deeper one', () => {
    const deepest = text(MAX_WIDGET_DEPTH);
    expect(reduceItem(deepest, update)).toEqual({...deepest, widget: nest({type: 'Text'}, MAX_WIDGET_DEPTH, isList)});
    const deeper = text(MAX_WIDGET_DEPTH + 1);
    expect(reduceItem(deeper, update)).toBe(deeper);
  });
});
