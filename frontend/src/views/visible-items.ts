/** Selects the items of an answer to show, so that nothing is shown twice. */
import {isObject} from '../protocol/parsing.js';
import type {ThreadItem} from '../protocol/types.js';
import {type Entry, findCut} from '../thread/thread-state.js';

/** Ids of Parlor's approval cards, before and after the decision. */
const APPROVAL = /^parlor\.approval(?:\.|$)/;

/** Removes items that have no view, and steps that an approval card right below shows in more detail. */
export function visibleItems(answer: readonly Entry[]): readonly Entry[] {
  const shown = answer.filter(({item}) => hasView(item));
  return shown.filter(({item}, at) => !(isNotStarted(item) && isApproval(shown[at + 1]?.item)));
}

function hasView(item: ThreadItem): boolean {
  return item.type !== 'end_of_turn' && item.type !== 'client_tool_call' && findCut(item) === undefined;
}

/** Whether an item is a workflow without any step that was run. */
function isNotStarted(item: ThreadItem): boolean {
  return (
    item.type === 'workflow' && item.workflow.tasks.every(({type, status}) => type === 'custom' && status === 'none')
  );
}

function isApproval(item: ThreadItem | undefined): boolean {
  return item?.type === 'widget' && isObject(item.widget) && APPROVAL.test(String(item.widget.id));
}
