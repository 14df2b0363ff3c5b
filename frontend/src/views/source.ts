/** Sources of an answer, from its annotations and searches, in the form that views show. */
import {isSafeLink} from '../links.js';
import {isObject} from '../protocol/parsing.js';
import type {Annotation, JSONObject, ThreadItem} from '../protocol/types.js';

interface SourceBase {
  /** Identifies the source: equal for everything that cites it. */
  readonly key: string;
  readonly title: string;
  readonly description: string | undefined;
  readonly timestamp: string | undefined;
  readonly group: string | undefined;
}
export interface UrlSource extends SourceBase {
  readonly type: 'url';
  /** `undefined` when the address is none that we may link to. */
  readonly url: string | undefined;
  readonly attribution: string | undefined;
}
export interface FileSource extends SourceBase {
  readonly type: 'file';
  readonly filename: string;
}
export interface EntitySource extends SourceBase {
  readonly type: 'entity';
  readonly id: string;
  readonly icon: string | undefined;
  readonly label: string | undefined;
  readonly inlineLabel: string | undefined;
  readonly interactive: boolean;
  readonly data: JSONObject;
}
export type Source = UrlSource | FileSource | EntitySource;

/** A source from the wire; `undefined` when nothing in it can be shown. */
export function parseSource(value: JSONObject): Source | undefined {
  const url = text(value.url);
  const filename = text(value.filename);
  const id = text(value.id);
  const attribution = text(value.attribution);
  const title = text(value.title) ?? attribution ?? filename ?? text(value.label) ?? url;
  if (title === undefined) return undefined;
  const base = {
    title,
    description: text(value.description),
    timestamp: text(value.timestamp),
    group: text(value.group),
  };
  if (value.type === 'entity') {
    return {
      ...base,
      type: 'entity',
      key: `entity ${id ?? title}`,
      id: id ?? '',
      icon: text(value.icon),
      label: text(value.label),
      inlineLabel: text(value.inline_label),
      interactive: value.interactive === true && id !== undefined,
      data: isObject(value.data) ? value.data : {},
    };
  }
  if (value.type === 'file' || url === undefined) {
    return {...base, type: 'file', key: `file ${filename ?? title}`, filename: filename ?? title};
  }
  return {...base, type: 'url', key: `url ${url}`, url: isSafeLink(url) ? url : undefined, attribution};
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

/** The site of a page, in a word or two. */
export function originOf({attribution, url}: UrlSource): string | undefined {
  if (attribution !== undefined || url === undefined) return attribution;
  try {
    return new URL(url, document.baseURI).hostname.replace(/^www\./, '');
  } catch {
    return undefined;
  }
}

const NONE: readonly Source[] = [];
const collected = new WeakMap<
  ThreadItem,
  {readonly items: readonly ThreadItem[]; readonly sources: readonly Source[]}
>();

/**
 * The sources that the messages of an answer cite, each once, in the order of their first appearance.
 *
 * Gives the same array for the same items: an answer that has not changed is not drawn anew.
 */
export function collectSources(items: readonly ThreadItem[]): readonly Source[] {
  const cited = items.filter(
    item => item.type === 'assistant_message' && item.content.some(part => part.annotations.length),
  );
  const [first] = cited;
  if (!first) return NONE;
  const known = collected.get(first);
  if (known?.items.length === cited.length && known.items.every((item, at) => item === cited[at])) return known.sources;
  const unique = new Map<string, Source>();
  for (const item of cited) {
    if (item.type !== 'assistant_message') continue;
    for (const {source} of item.content.flatMap(part => part.annotations)) {
      const parsed = parseSource(source);
      if (parsed && !unique.has(parsed.key)) unique.set(parsed.key, parsed);
    }
  }
  const sources = [...unique.values()];
  collected.set(first, {items: cited, sources});
  return sources;
}

/** Sources by the place in the text that they belong to; those without a place are left out. */
export function groupByIndex(annotations: readonly Annotation[]): ReadonlyMap<number, readonly Source[]> {
  const groups = new Map<number, Source[]>();
  for (const {source, index} of annotations) {
    const parsed = index === undefined ? undefined : parseSource(source);
    if (index === undefined || !parsed) continue;
    const place = Math.max(0, Math.trunc(index));
    const group = groups.get(place) ?? [];
    if (!group.some(({key}) => key === parsed.key)) group.push(parsed);
    groups.set(place, group);
  }
  return groups;
}
