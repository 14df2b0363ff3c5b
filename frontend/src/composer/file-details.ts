/** Details that a server of ours tells of a file that was sent: its size, and addresses that are good for minutes. */
import {isObject} from '../protocol/parsing.js';

export interface FileDetails {
  /** The size in bytes; `undefined` when the server does not say. */
  readonly size: number | undefined;
  /** The address of the file itself. */
  readonly url: string;
}

/** The answer of `GET /api/attachments/{id}`; `undefined` for anything else. */
export function parseFileDetails(value: unknown): FileDetails | undefined {
  if (!isObject(value) || typeof value.download_url !== 'string') return undefined;
  const size = typeof value.size === 'number' && value.size >= 0 ? value.size : undefined;
  return {size, url: value.download_url};
}

/** The address under which a browser saves a file that it could show as well. */
export function toDownload(url: string): string {
  return `${url}${url.includes('?') ? '&' : '?'}download=1`;
}
