/** Writes to the clipboard, where the browser lets us. */

/** Whether the text was copied: insecure pages and refused permissions say no. Call it on a person's action only. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
