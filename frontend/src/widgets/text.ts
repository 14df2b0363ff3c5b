/** Renderers of text: Text, Title, Caption, Markdown, Label. */
import {html} from 'lit';
import {asField, fieldParts, focusOnMount} from './field-parts.js';
import {initial} from './fields.js';
import {type Choice, type Every, flagOf, isRecord, nameOf, numberOf, oneOf, textOf} from './nodes.js';
import type {Rendered, Renderer, Scope} from './scope.js';
import {type Declarations, styled} from './styled.js';
import {colorOf, lengthOf} from './values.js';

const MAX_LINES = 100;

/** The text components; a Label has no line limit. */
type TextType = 'Text' | 'Title' | 'Caption' | 'Label';

type TextLike = Readonly<Record<'value' | 'color' | 'weight' | 'textAlign' | 'truncate' | 'maxLines', unknown>>;

/** Words longer than this may break anywhere; shorter ones are kept together. */
const MAX_WORD_CHARS = 16;
const LONG_WORD = new RegExp(`\\S{${MAX_WORD_CHARS + 1}}`);

function textClasses(node: Partial<TextLike>): string {
  const weight = oneOf<Choice<TextType, 'weight'>>(
    node.weight,
    {normal: 1, medium: 1, semibold: 1, bold: 1},
    undefined,
  );
  const clamp = node.truncate === true ? 'truncate' : linesOf(node.maxLines) === undefined ? '' : 'clamp';
  const breaking = LONG_WORD.test(textOf(node.value)) ? 'breakable' : '';
  return `${weight === undefined ? '' : `w-${weight}`} ${clamp} ${breaking}`;
}

function textStyle(node: Partial<TextLike>): Declarations {
  return {
    color: colorOf(node.color, 'text'),
    'text-align': oneOf<Choice<TextType, 'textAlign'>>(node.textAlign, {start: 1, center: 1, end: 1}, undefined),
    '-webkit-line-clamp': node.truncate === true ? undefined : linesOf(node.maxLines),
  };
}

function linesOf(value: unknown): string | undefined {
  const lines = Math.floor(numberOf(value) ?? 0);
  return lines >= 1 ? String(Math.min(lines, MAX_LINES)) : undefined;
}

export const renderText: Renderer<'Text'> = (node, scope) => {
  const size = oneOf<Choice<'Text', 'size'>>(node.size, {xs: 1, sm: 1, md: 1, lg: 1, xl: 1}, 'md');
  const looks = [
    `text t-${size} ${textClasses(node)}`,
    flagOf(node.italic) ? 'italic' : '',
    flagOf(node.lineThrough) ? 'struck' : '',
  ].join(' ');
  const minLines = linesOf(node.minLines);
  const style = {
    ...textStyle(node),
    width: lengthOf(node.width),
    'min-height': minLines === undefined ? undefined : `${minLines}lh`,
  };
  if (isRecord(node.editable) && nameOf(node.editable.name) !== undefined) {
    const isLong = Number(minLines ?? 1) > 1 || /[\r\n]/.test(textOf(node.value));
    return renderEditable(node.editable, textOf(node.value), looks, style, isLong, scope);
  }
  return html`<p class="${looks} ${scope.host.streaming && flagOf(node.streaming) ? 'streaming' : ''}" dir="auto" ${styled(style)}>${textOf(
    node.value,
  )}</p>`;
};

/** Renders a text field that looks like text; with several lines if the text has line breaks. */
function renderEditable(
  spec: Readonly<Record<string, unknown>>,
  value: string,
  looks: string,
  style: Declarations,
  isLong: boolean,
  scope: Scope,
): Rendered {
  const parts = fieldParts({...spec, type: 'Text'}, scope);
  // The width applies to the wrapper, not to the field in it.
  const fieldStyle = {...style, width: undefined};
  const field = isLong
    ? html`<textarea
        class="editable lines ${looks}"
        rows="1"
        @input=${parts.onInput}
        ${asField(parts, parts.textAttributes)}
        ${initial('value', value)}
        ${focusOnMount(spec, scope)}
        ${styled(fieldStyle)}
      ></textarea>`
    : html`<input
        class="editable ${looks}"
        type="text"
        @input=${parts.onInput}
        @keydown=${parts.onEnter}
        ${asField(parts, parts.textAttributes)}
        ${initial('value', value)}
        ${focusOnMount(spec, scope)}
        ${styled(fieldStyle)}
      />`;
  return html`<div class="field editable-field" ${styled({width: style.width})}>${field} ${parts.error}</div>`;
}

// biome-ignore format: a list
const TITLE_SIZES: Every<Choice<'Title', 'size'>> = {
  sm: 1, md: 1, lg: 1, xl: 1, '2xl': 1, '3xl': 1, '4xl': 1, '5xl': 1,
};

/** Headings of a widget are one level below the heading of its message. */
const TITLE_LEVEL = 4;

export const renderTitle: Renderer<'Title'> = node =>
  html`<div
    class="title h-${oneOf(node.size, TITLE_SIZES, 'md')} ${textClasses(node)}"
    role="heading"
    aria-level=${TITLE_LEVEL}
    dir="auto"
    ${styled(textStyle(node))}
  >${textOf(node.value)}</div>`;

export const renderCaption: Renderer<'Caption'> = node =>
  html`<p
    class="caption ca-${oneOf<Choice<'Caption', 'size'>>(node.size, {sm: 1, md: 1, lg: 1}, 'md')} ${textClasses(node)}"
    dir="auto"
    ${styled(textStyle(node))}
  >${textOf(node.value)}</p>`;

/** Renders a label; the view binds it to the field of that name later, since ids are unknown during the render. */
export const renderLabel: Renderer<'Label'> = node => {
  const size = oneOf<Choice<'Label', 'size'>>(node.size, {xs: 1, sm: 1, md: 1, lg: 1, xl: 1}, 'sm');
  return html`<label
    class="label t-${size} ${textClasses(node)}"
    data-label-for=${textOf(node.fieldName)}
    dir="auto"
    ${styled(textStyle(node))}
  ><bdi>${textOf(node.value)}</bdi></label>`;
};

/** The Markdown view of answers: sanitised, and stable while it streams. Used by its tag, without an import. */
const MARKDOWN_TAG = 'parlor-markdown';

/** Renders Markdown by its view; without that, its source as plain text. */
export const renderMarkdown: Renderer<'Markdown'> = (node, scope) => {
  const source = textOf(node.value);
  const isStreaming = scope.host.streaming && flagOf(node.streaming);
  return customElements.get(MARKDOWN_TAG) === undefined
    ? html`<p class="markdown text t-md" dir="auto">${source}</p>`
    : html`<parlor-markdown class="markdown t-md" .text=${source} .imageDomains=${scope.host.imageDomains} .streaming=${isStreaming}></parlor-markdown>`;
};
