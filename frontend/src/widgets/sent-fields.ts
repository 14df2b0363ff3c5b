/** The reset of submitted fields to the server’s value: empties an "add" field, and spares what was typed since. */
import {FIELD_ATTRIBUTE, fieldPath, fieldValue, resetField} from './fields.js';

/** A field and what it held when it was sent. */
interface Sent {
  readonly path: string;
  readonly value: unknown;
}

/** The fields of one action. */
export interface Batch {
  readonly kind: 'submit' | 'change';
  readonly fields: readonly Sent[];
  isSettled: boolean;
  sawTree: boolean;
}

/**
 * Submitted fields start afresh with the next tree. A control that sent its own change keeps showing it until the
 * answer is there; then a new tree, or a failure, has the last word. A field edited in the meantime is left alone.
 */
export class SentFields {
  #batches: readonly Batch[] = [];

  add(kind: Batch['kind'], fields: readonly Element[]): Batch {
    const sent = fields.map((field): Sent => ({path: fieldPath(field), value: fieldValue(field)}));
    const batch: Batch = {kind, fields: sent, isSettled: false, sawTree: false};
    const paths = new Set(sent.map(({path}) => path));
    // A newer action speaks for its fields, and only one submission can be the one a tree answers.
    const older = this.#batches.filter(
      other => other.kind !== 'submit' && !other.fields.some(({path}) => paths.has(path)),
    );
    this.#batches = [...older, ...(sent.length === 0 ? [] : [batch])];
    return batch;
  }

  /** Whether this is what a field held when it was submitted, and no tree has answered that yet. */
  has(path: string, value: unknown): boolean {
    return this.#batches.some(
      ({kind, fields}) => kind === 'submit' && fields.some(sent => sent.path === path && sent.value === value),
    );
  }

  /** To be called when a new tree was drawn. Gives back the fields that were reset because they were submitted. */
  treeArrived(root: ParentNode): readonly HTMLElement[] {
    const due = this.#batches.filter(batch => batch.kind === 'submit' || batch.isSettled);
    this.#batches = this.#batches.filter(batch => !due.includes(batch));
    for (const batch of this.#batches) {
      batch.sawTree = true;
    }
    return due.flatMap(batch => {
      const reset = resetAll(batch, root);
      return batch.kind === 'submit' ? reset : [];
    });
  }

  settle(batch: Batch, isFulfilled: boolean, root: ParentNode): void {
    if (!this.#batches.includes(batch)) {
      return;
    }
    batch.isSettled = true;
    if (batch.kind === 'change' && (batch.sawTree || !isFulfilled)) {
      resetAll(batch, root);
    }
    if (batch.sawTree || !isFulfilled) {
      this.#batches = this.#batches.filter(other => other !== batch);
    }
  }
}

function resetAll({fields}: Batch, root: ParentNode): readonly HTMLElement[] {
  const unedited = [...root.querySelectorAll<HTMLElement>(`[${FIELD_ATTRIBUTE}]`)].filter(field =>
    fields.some(({path, value}) => path === fieldPath(field) && value === fieldValue(field)),
  );
  for (const field of unedited) {
    resetField(field);
  }
  return unedited;
}
