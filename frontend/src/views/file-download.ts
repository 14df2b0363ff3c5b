/** Downloads of the server's files, by a URL that is requested at that moment, since earlier ones have expired. */
import {type FileDetails, toDownloadUrl} from '../composer/file-details.js';
import {dispatch} from '../intents.js';

/** Requests the details of a file; `undefined` when it is gone, nobody answers, or the server does not offer them. */
export async function requestFile(view: EventTarget, id: string): Promise<FileDetails | undefined> {
  let answer: Promise<FileDetails | undefined> | undefined;
  const done = (details: Promise<FileDetails | undefined>): void => {
    answer = details;
  };
  dispatch(view, {type: 'file-details', id, done});
  return answer;
}

/** Lets the browser save a file, under the server's name for it unless `name` is given. */
export function saveFile(details: FileDetails, name = ''): void {
  const link = document.createElement('a');
  link.href = toDownloadUrl(details.url);
  link.download = name;
  link.click();
}
