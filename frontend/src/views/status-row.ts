/** The row between transcript and composer: the state of the connection, and a button that scrolls to the end. */
import {css, html, nothing} from 'lit';
import {icon} from '../icons/icons.js';
import {strings} from '../strings.js';

export interface RowState {
  readonly isOffline: boolean;
  readonly isReconnecting: boolean;
  /** Whether the end of the transcript is out of view. */
  readonly isScrolledUp: boolean;
  /** Whether to keep an empty row, so that the layout does not move under the pointer. */
  readonly keepsSpace: boolean;
  readonly toLatest: () => void;
}

/** Renders the row, hidden until it has content for the first time. */
export function renderStatusRow({isOffline, isReconnecting, isScrolledUp, keepsSpace, toLatest}: RowState) {
  const text = isOffline ? strings.offline : isReconnecting ? strings.reconnecting : '';
  return html`<div class="status-row no-print" ?hidden=${text === '' && !isScrolledUp && !keepsSpace}>
    <span class="connection" role="status">${text === '' ? nothing : html`${icon('globe', '16')}${text}`}</span>
    ${
      isScrolledUp
        ? html`<button
          type="button"
          class="text-button to-latest"
          aria-label=${strings.toLatest}
          @click=${toLatest}
        >${icon('arrow-down', '16')}${strings.latest}</button>`
        : nothing
    }
  </div>`;
}

export const statusRowStyles = css`
  .status-row {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    justify-content: center;
    gap: 4px 12px;
    min-inline-size: 0;
    min-block-size: 28px;
  }
  @media (max-height: 400px) {
    .status-row:not(:has(button, svg)) {
      display: none;
    }
  }
  .connection {
    display: inline-flex;
    align-items: center;
    gap: 6px;
    min-inline-size: 0;
    font-size: var(--chatkit-text-sm-size);
    line-height: var(--chatkit-text-sm-line);
    color: var(--chatkit-text-secondary);
  }
  .connection:empty {
    display: none;
  }
  .to-latest {
    min-block-size: 28px;
    padding-inline: 10px 14px;
    background: var(--chatkit-surface-elevated);
    color: var(--chatkit-text-secondary);
  }
`;
