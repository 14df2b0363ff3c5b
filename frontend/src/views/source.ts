/** The sources of an answer, parsed from its annotations and searches. */
import {isSafeLink} from '../links.js';
import {isObject} from '../protocol/parsing.js';
import type {Annotation, JSONObject, ThreadItem} from '../protocol/types.js';

interface SourceBase {
  /** Identifies the source, the same in all annotations that cite it. */
  readonly key: string;
  readonly title: string;
  readonly description: string | undefined;
  readonly timestamp: string | undefined;
  readonly group: string | undefined;
}
export interface UrlSource extends SourceBase {
  readonly type: 'url';
  /** `undefined` when the URL is not safe to link to. */
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

/** Parses a source from the wire; `undefined` when it has nothing to show. */
export function parseSource(value: JSONObject): Source | undefined {
  const url = readText(value.url);
  const filename = readText(value.filename);
  const id = readText(value.id);
  const attribution = readText(value.attribution);
  const title = readText(value.title) ?? attribution ?? filename ?? readText(value.label) ?? url;
  if (title === undefined) return undefined;
  const base = {
    title,
    description: readText(value.description),
    timestamp: readText(value.timestamp),
    group: readText(value.group),
  };
  if (value.type === 'entity') {
    return {
      ...base,
      type: 'entity',
      key: `entity ${id ?? title}`,
      id: id ?? '',
      icon: readText(value.icon),
      label: readText(value.label),
      inlineLabel: readText(value.inline_label),
      interactive: value.interactive === true && id !== undefined,
      data: isObject(value.data) ? value.data : {},
    };
  }
  if (value.type === 'file' || url === undefined) {
    return {...base, type: 'file', key: `file ${filename ?? title}`, filename: filename ?? title};
  }
  return {...base, type: 'url', key: `url ${url}`, url: isSafeLink(url) ? url : undefined, attribution};
}

function readText(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

/** Returns the name of a page's site, by default its host name. */
export function originOf({attribution, url}: UrlSource): string | undefined {
  if (attribution !== undefined || url === undefined) return attribution;
  try {
    return new URL(url, document.baseURI).hostname.replace(/^www\./, '');
  } catch {
    return undefined;
  }
}

const NO_SOURCES: readonly Source[] = [];
const collected = new WeakMap<
  ThreadItem,
  {readonly items: readonly ThreadItem[]; readonly sources: readonly Source[]}
>();

/**
 * Collects the sources that the messages of an answer cite, without duplicates, in the order of first appearance.
 *
 * Returns the same array for the same items, so that an unchanged answer is not rendered again.
 */
export function collectSources(items: readonly ThreadItem[]): readonly Source[] {
  const cited = items.filter(
    item => item.type === 'assistant_message' && item.content.some(part => part.annotations.length),
  );
  const [first] = cited;
  if (!first) return NO_SOURCES;
  const cached = collected.get(first);
  if (cached?.items.length === cited.length && cached.items.every((item, at) => item === cited[at])) {
    return cached.sources;
  }
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

/** Groups sources by their index in the text; those without an index are left out. */
export function groupByIndex(annotations: readonly Annotation[]): ReadonlyMap<number, readonly Source[]> {
  const groups = new Map<number, Source[]>();
  for (const {source, index} of annotations) {
    const parsed = index === undefined ? undefined : parseSource(source);
    if (index === undefined || !parsed) continue;
    const position = Math.max(0, Math.trunc(index));
    const group = groups.get(position) ?? [];
    if (!group.some(({key}) => key === parsed.key)) group.push(parsed);
    groups.set(position, group);
  }
  return groups;
}
