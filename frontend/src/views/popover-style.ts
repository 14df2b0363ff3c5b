/** Styles of popovers above the composer: menus, and the list of suggestions. */
import {css} from 'lit';

export const popoverStyles = css`
  [role='menu'],
  .suggestions {
    position: absolute;
    inset-block-end: calc(100% + 8px);
    z-index: 3;
    overflow-y: auto;
    overscroll-behavior: contain;
    padding: 6px;
    border: 1px solid var(--chatkit-border-default);
    border-radius: var(--chatkit-radius-popover);
    background: var(--chatkit-surface-elevated);
    box-shadow: var(--chatkit-shadow-4);
    font-size: var(--chatkit-text-sm-size);
    line-height: var(--chatkit-text-sm-line);
    cursor: default;
  }
  [role='option'],
  [role^='menuitem'] {
    display: flex;
    align-items: center;
    gap: 10px;
    min-block-size: 36px;
    padding: 6px 10px;
    border-radius: var(--chatkit-radius-md);
    color: var(--chatkit-text-primary);
    cursor: pointer;
  }
  :is([role='option'], [role^='menuitem']) > svg {
    color: var(--chatkit-text-secondary);
  }
  .words {
    flex: 1;
    min-inline-size: 0;
    overflow-wrap: anywhere;
  }
  .description {
    display: block;
    font-size: var(--chatkit-text-xs-size);
    line-height: var(--chatkit-text-xs-line);
    color: var(--chatkit-text-secondary);
  }
`;
