/** Validation of files before their upload: types, sizes, count. No network, and no DOM but `File`. */
import {isObject} from '../protocol/parsing.js';
import {strings} from '../strings.js';

const DEFAULT_MAX_BYTES = 100 * 1024 * 1024;
const DEFAULT_MAX_COUNT = 10;
const UNKNOWN_TYPE = 'application/octet-stream';

export interface UploadRules {
  /** A limit for all, or limits by MIME pattern. */
  readonly maxSize: number | Readonly<Record<string, number>>;
  /** Per message. */
  readonly maxCount: number;
  /** Lower-case MIME patterns and extensions with their dot; empty accepts everything. */
  readonly mimePatterns: readonly string[];
  readonly extensions: readonly string[];
}

/** Parses the option `composer.attachments`; `undefined` if attachments are off. Invalid limits become the defaults. */
export function readUploadRules(value: unknown): UploadRules | undefined {
  if (!isObject(value) || value.enabled !== true) return undefined;
  const accept = isObject(value.accept) ? value.accept : {};
  const extensions = Object.values(accept)
    .flat()
    .filter(entry => typeof entry === 'string' && entry !== '');
  return {
    maxSize: readMaxSize(value.maxSize),
    maxCount: isLimit(value.maxCount) ? Math.floor(value.maxCount) : DEFAULT_MAX_COUNT,
    mimePatterns: Object.keys(accept).map(pattern => pattern.toLowerCase()),
    extensions: extensions.map(entry => `.${String(entry).replace(/^\./, '').toLowerCase()}`),
  };
}

/** Builds the `accept` attribute of a file input; empty for everything. */
export function toAcceptAttribute({mimePatterns, extensions}: UploadRules): string {
  return mimePatterns.some(isCatchAll) ? '' : [...mimePatterns, ...extensions].join(',');
}

/** Returns the MIME type of a file, derived from its extension if the operating system does not know it. */
export function mimeTypeOf(file: {readonly name: string; readonly type: string}): string {
  if (file.type !== '') return file.type.toLowerCase();
  return TYPES_BY_EXTENSION.get(extensionOf(file.name)) ?? UNKNOWN_TYPE;
}

/**
 * Separates files that may be attached from those that may not.
 *
 * @param attachedCount How many files the message already has.
 * @returns The accepted files, and a message to the user for each problem.
 */
export function sortFiles(
  files: readonly File[],
  rules: UploadRules,
  attachedCount: number,
): {readonly accepted: readonly File[]; readonly problems: readonly string[]} {
  const accepted: File[] = [];
  const problems: string[] = [];
  let overCount = 0;
  for (const file of files) {
    const maxBytes = maxBytesFor(mimeTypeOf(file), rules.maxSize);
    if (!isAccepted(file, rules)) problems.push(strings.fileTypeRefused(file.name));
    else if (file.size > maxBytes) problems.push(strings.fileTooLarge(file.name, formatBytes(maxBytes)));
    else if (attachedCount + accepted.length >= rules.maxCount) overCount += 1;
    else accepted.push(file);
  }
  if (overCount > 0) problems.push(strings.tooManyFiles(rules.maxCount));
  return {accepted, problems};
}

/** Returns the size limit of the most specific matching pattern: the type, then its family, then the fallback. */
export function maxBytesFor(mimeType: string, maxSize: UploadRules['maxSize']): number {
  if (typeof maxSize === 'number') return maxSize;
  const type = mimeType.split(';', 1)[0]?.trim() ?? '';
  for (const pattern of [type, `${type.split('/', 1)[0]}/*`, '*/*', '*', '']) {
    const limit = Object.hasOwn(maxSize, pattern) ? maxSize[pattern] : undefined;
    if (limit !== undefined) return limit;
  }
  return DEFAULT_MAX_BYTES;
}

/** Formats a size in the largest unit that gives at least 1, with at most one decimal. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB'] as const;
  let size = bytes;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${Math.round(size * 10) / 10} ${units[unit]}`;
}

/** Returns the kind of a file in one word: its extension, or the family of its MIME type. */
export function kindOf(name: string, mimeType: string): string {
  const extension = extensionOf(name);
  if (extension !== '' && extension.length <= 5) return extension.toUpperCase();
  return mimeType.split('/', 1)[0] ?? '';
}

/** Whether photos may be attached, so that a camera button is useful. */
export function takesPhotos({mimePatterns, extensions}: UploadRules): boolean {
  const isPhoto = (pattern: string): boolean =>
    pattern === 'image/*' || pattern === 'image/jpeg' || isCatchAll(pattern);
  return (mimePatterns.length === 0 && extensions.length === 0) || mimePatterns.some(isPhoto);
}

function isAccepted(file: File, {mimePatterns, extensions}: UploadRules): boolean {
  if (mimePatterns.length === 0 && extensions.length === 0) return true;
  const type = mimeTypeOf(file).split(';', 1)[0] ?? '';
  const family = `${type.split('/', 1)[0]}/*`;
  const name = file.name.toLowerCase();
  return (
    mimePatterns.some(pattern => pattern === type || pattern === family || isCatchAll(pattern)) ||
    extensions.some(extension => name.endsWith(extension))
  );
}

function readMaxSize(value: unknown): UploadRules['maxSize'] {
  if (isLimit(value)) return value;
  if (!isObject(value)) return DEFAULT_MAX_BYTES;
  const limits = Object.entries(value).filter((entry): entry is [string, number] => isLimit(entry[1]));
  return Object.fromEntries(limits.map(([pattern, limit]) => [pattern.toLowerCase(), limit]));
}

function isLimit(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && Number.isFinite(value);
}

function isCatchAll(pattern: string): boolean {
  return pattern === '*/*' || pattern === '*';
}

function extensionOf(name: string): string {
  return /\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase() ?? '';
}

const TYPES_BY_EXTENSION: ReadonlyMap<string, string> = new Map([
  ['avif', 'image/avif'],
  ['csv', 'text/csv'],
  ['doc', 'application/msword'],
  ['docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
  ['gif', 'image/gif'],
  ['heic', 'image/heic'],
  ['heif', 'image/heic'],
  ['html', 'text/html'],
  ['jpeg', 'image/jpeg'],
  ['jpg', 'image/jpeg'],
  ['json', 'application/json'],
  ['log', 'text/plain'],
  ['m4a', 'audio/mp4'],
  ['md', 'text/markdown'],
  ['mov', 'video/quicktime'],
  ['mp3', 'audio/mpeg'],
  ['mp4', 'video/mp4'],
  ['pdf', 'application/pdf'],
  ['png', 'image/png'],
  ['pptx', 'application/vnd.openxmlformats-officedocument.presentationml.presentation'],
  ['svg', 'image/svg+xml'],
  ['tsv', 'text/tab-separated-values'],
  ['txt', 'text/plain'],
  ['wav', 'audio/wav'],
  ['webm', 'video/webm'],
  ['webp', 'image/webp'],
  ['xlsx', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'],
  ['xml', 'application/xml'],
  ['yaml', 'application/yaml'],
  ['yml', 'application/yaml'],
  ['zip', 'application/zip'],
]);
