/** Details of a sent file from a Parlor server: its size, and a download address that is valid for minutes. */
import {isObject} from '../protocol/parsing.js';

export interface FileDetails {
  /** The size in bytes; `undefined` if unknown. */
  readonly size: number | undefined;
  /** The address of the file itself. */
  readonly url: string;
}

/** Parses the response of `GET /api/attachments/{id}`; `undefined` if it is invalid. */
export function parseFileDetails(value: unknown): FileDetails | undefined {
  if (!isObject(value) || typeof value.download_url !== 'string') return undefined;
  const size = typeof value.size === 'number' && value.size >= 0 ? value.size : undefined;
  return {size, url: value.download_url};
}

/** Returns the address from which browsers save the file instead of showing it. */
export function toDownloadUrl(url: string): string {
  return `${url}${url.includes('?') ? '&' : '?'}download=1`;
}
