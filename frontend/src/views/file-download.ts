/** Files of ours are fetched by an address that is asked for at that moment: those that were given before have ended. */
import {type FileDetails, toDownload} from '../composer/file-details.js';
import {express} from '../intents.js';

/** Description of a file by the server; `undefined` when it is gone, nobody answers, or the server describes none. */
export async function askForFile(view: EventTarget, id: string): Promise<FileDetails | undefined> {
  let answer: Promise<FileDetails | undefined> | undefined;
  const done = (given: Promise<FileDetails | undefined>): void => {
    answer = given;
  };
  express(view, {type: 'file-details', id, done});
  return answer;
}

/** Lets the browser save a file; without a name under the one that the server gives it. */
export function saveFile(details: FileDetails, name = ''): void {
  const link = document.createElement('a');
  link.href = toDownload(details.url);
  link.download = name;
  link.click();
}
