/** Loads the script that defines `<openai-chatkit>`. */

export const CHATKIT_TAG = 'openai-chatkit';
const DEFINITION_TIMEOUT_MS = 20_000;

/** Resolves when the element is defined; rejects when the script cannot be loaded or does not define it in time. */
export async function loadChatScript(
  document: Document,
  url: string,
  timeoutMs: number = DEFINITION_TIMEOUT_MS,
): Promise<void> {
  const registry = document.defaultView?.customElements;
  if (!registry || registry.get(CHATKIT_TAG)) return;
  const script = document.createElement('script');
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      script.addEventListener('error', () => reject(new Error(`${url} could not be loaded`)));
      timer = setTimeout(() => reject(new Error(`${url} defined no ${CHATKIT_TAG}`)), timeoutMs);
      // Some scripts define the element only after they have loaded more.
      registry.whenDefined(CHATKIT_TAG).then(() => resolve(), reject);
      script.async = true;
      setSource(script, url);
      document.head.append(script);
    });
  } catch (error) {
    // A retry needs a new element.
    script.remove();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

interface TrustedTypes {
  createPolicy(name: string, rules: {createScriptURL: (url: string) => string}): {createScriptURL(url: string): string};
}

/** Sets the URL, which is trusted because it comes from the server's settings, also under a Trusted Types policy. */
function setSource(script: HTMLScriptElement, url: string): void {
  const {trustedTypes} = globalThis as {readonly trustedTypes?: TrustedTypes};
  script.src =
    trustedTypes?.createPolicy('parlor-page', {createScriptURL: address => address}).createScriptURL(url) ?? url;
}
