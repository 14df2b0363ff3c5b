/** The templates of the page: its header, and notices in place of the chat. */
import {html, nothing, type TemplateResult} from 'lit';
import {icon} from '../icons/icons.js';
import {pageStrings} from '../strings.js';
import type {SchemePreference} from './memory.js';
import type {Brand, DisabledUseCase, UseCase} from './platform.js';

const SCHEMES: readonly {readonly value: SchemePreference; readonly label: string; readonly icon: string}[] = [
  {value: 'light', label: pageStrings.light, icon: 'sun'},
  {value: 'dark', label: pageStrings.dark, icon: 'moon'},
  {value: 'system', label: pageStrings.system, icon: 'desktop'},
];

export interface HeaderProps {
  readonly brand: Brand | undefined;
  readonly useCases: readonly UseCase[];
  readonly disabled: readonly DisabledUseCase[];
  readonly current: UseCase | undefined;
  readonly scheme: SchemePreference;
  readonly addressOf: (useCase: UseCase) => string;
  readonly onChoose: (event: MouseEvent, useCase: UseCase) => void;
  readonly onScheme: (scheme: SchemePreference) => void;
}

export function headerView(props: HeaderProps): TemplateResult {
  return html`<h1 class="visually-hidden">${[props.current?.title, props.brand?.name].filter(Boolean).join(' · ')}</h1>
    ${props.brand ? brandView(props.brand) : nothing}
    <button class="menu-button" type="button" popovertarget=${MENU_ID} aria-label=${menuLabel(props)}>
      ${props.current ? html`${icon(props.current.icon, '1.125rem')}<span>${props.current.title}</span>` : nothing}
      ${icon('chevron-down', '1rem')}
    </button>
    <div class="menu" id=${MENU_ID} popover>
      ${hasChoice(props) ? switcherView(props) : nothing} ${schemeView(props)}
    </div>`;
}

/** The id of the menu of assistants and colour schemes on narrow screens. */
export const MENU_ID = 'menu';

function menuLabel(props: HeaderProps): string {
  return pageStrings.menu(props.current?.title ?? '', hasChoice(props));
}

function hasChoice({useCases, disabled}: HeaderProps): boolean {
  return useCases.length + disabled.filter(isDown).length > 1;
}

/** Whether a use case is in another service that cannot be reached; it is shown as unavailable. */
function isDown(disabled: DisabledUseCase): boolean {
  return disabled.title !== undefined;
}

function brandView(brand: Brand): TemplateResult {
  return html`<a class="brand" href="./">
    <img src=${brand.logoUrl} alt="" />
    <span class="brand-text">
      <span class="brand-name">${brand.name}</span>
      ${brand.tagline === '' ? nothing : html`<span class="brand-tagline">${brand.tagline}</span>`}
    </span>
  </a>`;
}

/** Links instead of tabs, so that an assistant can be shared, bookmarked and opened in another window. */
function switcherView(props: HeaderProps): TemplateResult {
  return html`<nav class="switcher" aria-label=${pageStrings.assistants}>
    <ul>
      ${props.useCases.map(
        useCase => html`<li>
          <a
            href=${props.addressOf(useCase)}
            title=${useCase.description || nothing}
            aria-current=${useCase.name === props.current?.name ? 'page' : nothing}
            @click=${(event: MouseEvent) => props.onChoose(event, useCase)}
            >${icon(useCase.icon, '1.125rem')}<span>${useCase.title}</span></a
          >
        </li>`,
      )}
      ${props.disabled.filter(isDown).map(
        ({title, icon: name, message}) => html`<li>
          <span class="is-down" title=${message}
            >${icon(name, '1.125rem')}<span>${title}</span><span class="visually-hidden">${message}</span></span
          >
        </li>`,
      )}
    </ul>
  </nav>`;
}

function schemeView(props: HeaderProps): TemplateResult {
  return html`<fieldset class="scheme">
    <legend class="visually-hidden">${pageStrings.colourScheme}</legend>
    ${SCHEMES.map(
      scheme => html`<label title=${scheme.label}>
        <input
          class="visually-hidden"
          type="radio"
          name="scheme"
          value=${scheme.value}
          .checked=${scheme.value === props.scheme}
          @change=${() => props.onScheme(scheme.value)}
        />
        ${icon(scheme.icon, '1.125rem')}<span class="visually-hidden">${scheme.label}</span>
      </label>`,
    )}
  </fieldset>`;
}

/** A hint above the chat, for example that the assistant in the URL does not exist. */
export function hintView(text: string, onDismiss: () => void): TemplateResult {
  return html`<p class="hint" role="status">
    <span>${text}</span><button type="button" aria-label=${pageStrings.dismiss} @click=${onDismiss}>${icon('close', '1rem')}</button>
  </p>`;
}

export interface NoticeProps {
  readonly icon: string;
  readonly title: string;
  readonly text: string;
  readonly details?: readonly string[];
  readonly onRetry?: () => void;
}

export function noticeView(props: NoticeProps): TemplateResult {
  return html`<div class="notice" role="alert">
    <span class="badge">${icon(props.icon, '1.75rem')}</span>
    <h2>${props.title}</h2>
    <p>${props.text}</p>
    ${props.details?.length ? html`<ul>${props.details.map(detail => html`<li>${detail}</li>`)}</ul>` : nothing}
    ${props.onRetry ? html`<button type="button" @click=${props.onRetry}>${pageStrings.tryAgain}</button>` : nothing}
  </div>`;
}

export function loadingView(): TemplateResult {
  return html`<div class="loading" role="progressbar" aria-label=${pageStrings.loading}></div>`;
}

export function describeDisabled(disabled: DisabledUseCase): string {
  return [`${disabled.name}: ${disabled.message}`, disabled.errorId].filter(part => part !== '').join(' ');
}
