/** Resets submitted fields to the server’s value, for example empties an "add" field, but keeps later input. */
import {FIELD_ATTRIBUTE, fieldPath, fieldValue, resetField} from './fields.js';

/** A field and the value it had when it was sent. */
interface SentField {
  readonly path: string;
  readonly value: unknown;
}

/** The fields that were sent with one action. */
export interface Batch {
  readonly kind: 'submit' | 'change';
  readonly fields: readonly SentField[];
  isSettled: boolean;
  sawTree: boolean;
}

/**
 * Submitted fields are reset with the next tree. A control that sent its own change keeps showing it until the response
 * arrives; after that, a new tree or a failure resets it. A field that was edited in the meantime is left alone.
 */
export class SentFields {
  #batches: readonly Batch[] = [];

  add(kind: Batch['kind'], fields: readonly Element[]): Batch {
    const sent = fields.map((field): SentField => ({path: fieldPath(field), value: fieldValue(field)}));
    const batch: Batch = {kind, fields: sent, isSettled: false, sawTree: false};
    const paths = new Set(sent.map(({path}) => path));
    // A newer action replaces older ones for its fields, and a tree can answer only the last submission.
    const older = this.#batches.filter(
      other => other.kind !== 'submit' && !other.fields.some(({path}) => paths.has(path)),
    );
    this.#batches = [...older, ...(sent.length === 0 ? [] : [batch])];
    return batch;
  }

  /** Whether a field was submitted with this value, and no new tree has arrived since. */
  has(path: string, value: unknown): boolean {
    return this.#batches.some(
      ({kind, fields}) => kind === 'submit' && fields.some(sent => sent.path === path && sent.value === value),
    );
  }

  /** Must be called after a new tree was rendered; returns the fields that were reset because they were submitted. */
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
