/** Applies updates to items: text deltas, annotations, tasks, widgets. Pads lists for an index beyond their end. */
import {isObject} from '../protocol/parsing.js';
import type {
  AssistantMessage,
  ItemUpdate,
  JSONObject,
  Task,
  TextPart,
  ThreadItem,
  WorkflowItem,
} from '../protocol/types.js';
import {MAX_WIDGET_DEPTH} from '../protocol/widget-depth.js';
import {unreachable} from '../unreachable.js';

const EMPTY_PART: TextPart = {text: '', annotations: []};
const EMPTY_TASK: Task = {
  type: 'custom',
  status: 'none',
  title: undefined,
  icon: undefined,
  content: undefined,
  queries: [],
  sources: [],
};

/** Returns the updated item; the same object if the update does not apply to its type. */
export function reduceItem(item: ThreadItem, update: ItemUpdate): ThreadItem {
  switch (update.type) {
    case 'assistant_message.content_part.added':
      return changePart(item, update.index, () => update.part);
    case 'assistant_message.content_part.text_delta':
      return changePart(item, update.index, part => ({...part, text: part.text + update.delta}));
    case 'assistant_message.content_part.annotation_added':
      return changePart(item, update.index, part => ({
        ...part,
        annotations: part.annotations.toSpliced(update.at, 0, update.annotation),
      }));
    case 'assistant_message.content_part.done':
      // Servers finish a part without the annotations they have streamed before.
      return changePart(item, update.index, part =>
        update.part.annotations.length > 0 ? update.part : {...update.part, annotations: part.annotations},
      );
    case 'widget.streaming_text.value_delta':
      return changeWidget(item, update.componentId, component => ({
        ...component,
        value: (typeof component.value === 'string' ? component.value : '') + update.delta,
        // A component that was never marked as streaming is not marked as finished either.
        ...(update.done && component.streaming === undefined ? {} : {streaming: !update.done}),
      }));
    case 'widget.component.updated':
      return changeWidget(item, update.componentId, () => update.component);
    case 'widget.root.updated':
      return item.type === 'widget' ? {...item, widget: update.widget} : item;
    case 'workflow.task.added':
    case 'workflow.task.updated':
      return changeTask(item, update.index, update.task);
    case 'generated_image.updated':
      return item.type === 'generated_image' ? {...item, url: update.url ?? item.url, progress: update.progress} : item;
    default:
      return unreachable(update);
  }
}

function padTo<T>(list: readonly T[], index: number, filler: T): readonly T[] {
  return index < list.length ? list : [...list, ...Array<T>(index + 1 - list.length).fill(filler)];
}

function changePart(item: ThreadItem, index: number, change: (part: TextPart) => TextPart): ThreadItem {
  if (item.type !== 'assistant_message') return item;
  const parts = padTo(item.content, index, EMPTY_PART);
  return {...item, content: parts.with(index, change(parts[index] ?? EMPTY_PART))} satisfies AssistantMessage;
}

function changeTask(item: ThreadItem, index: number, task: Task): ThreadItem {
  if (item.type !== 'workflow') return item;
  const tasks = padTo(item.workflow.tasks, index, EMPTY_TASK).with(index, task);
  return {...item, workflow: {...item.workflow, tasks}} satisfies WorkflowItem;
}

function changeWidget(item: ThreadItem, id: string, change: (component: JSONObject) => JSONObject): ThreadItem {
  if (item.type !== 'widget') return item;
  const widget = changeComponent(item.widget, id, change, 0);
  return widget === item.widget ? item : {...item, widget};
}

/** Returns the component with the change applied to it or a descendant; the same object if none has this id. */
function changeComponent(
  component: JSONObject,
  id: string,
  change: (component: JSONObject) => JSONObject,
  depth: number,
): JSONObject {
  if (component.id === id) return change(component);
  if (depth === MAX_WIDGET_DEPTH) return component;
  const changeChild = (child: unknown): unknown =>
    isObject(child) ? changeComponent(child, id, change, depth + 1) : child;
  const {children} = component;
  const changed = Array.isArray(children) ? children.map(changeChild) : changeChild(children);
  const isSame =
    Array.isArray(changed) && Array.isArray(children)
      ? changed.every((child, at) => child === children[at])
      : changed === children;
  return isSame ? component : {...component, children: changed};
}
