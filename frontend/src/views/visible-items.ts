/** Says which items of an answer are drawn, each thing once. */
import {isObject} from '../protocol/parsing.js';
import type {ThreadItem} from '../protocol/types.js';
import {cutOf, type Entry} from '../thread/thread-state.js';

/** The root of Parlor's cards that ask for permission, before and after the decision. */
const APPROVAL = /^parlor\.approval(?:\.|$)/;

/** Returns an answer without items for the page or the whole answer, and steps that a card below shows in more words. */
export function visibleItems(answer: readonly Entry[]): readonly Entry[] {
  const drawn = answer.filter(({item}) => isDrawn(item));
  return drawn.filter(({item}, at) => !(isUnfinished(item) && isApproval(drawn[at + 1]?.item)));
}

function isDrawn(item: ThreadItem): boolean {
  return item.type !== 'end_of_turn' && item.type !== 'client_tool_call' && cutOf(item) === undefined;
}

/** Whether all that a workflow shows are calls which nobody has made. */
function isUnfinished(item: ThreadItem): boolean {
  return (
    item.type === 'workflow' && item.workflow.tasks.every(({type, status}) => type === 'custom' && status === 'none')
  );
}

function isApproval(item: ThreadItem | undefined): boolean {
  return item?.type === 'widget' && isObject(item.widget) && APPROVAL.test(String(item.widget.id));
}
