/** Builds the options of `<openai-chatkit>` for a use case, by the published contract of ChatKit. */
import type {ChatKitOptions, ColorScheme, StartScreenPrompt} from '@openai/chatkit';
import {isObject} from '../protocol/parsing.js';
import type {UseCase} from './platform.js';
import {serverAddress} from './server-address.js';

export interface ChatLook {
  readonly scheme: ColorScheme;
  /** Any CSS colour. */
  readonly accent: string;
}

/**
 * @param initialThread The id of the thread to open first.
 * @param fetch Replaces the browser's `fetch`, if set.
 */
export function buildChatOptions(
  useCase: UseCase,
  look: ChatLook,
  initialThread: string | null,
  fetch?: typeof globalThis.fetch,
): ChatKitOptions {
  const {placeholder, attachments, tools, models} = useCase.composer;
  const hasUploads = isObject(attachments) && attachments.enabled === true;
  return {
    api: {
      url: serverAddress(`/chatkit/${encodeURIComponent(useCase.name)}`),
      // Required by the type, but not used by our element.
      domainKey: 'self-hosted',
      ...(fetch !== undefined && {fetch}),
      ...(hasUploads && {uploadStrategy: {type: 'two_phase'}}),
    },
    frameTitle: useCase.title,
    initialThread,
    theme: {
      colorScheme: look.scheme,
      radius: 'round',
      color: {accent: {primary: useCase.accentColor ?? look.accent, level: 1}},
    },
    header: {enabled: true},
    history: {enabled: true},
    startScreen: {
      ...(useCase.greeting !== undefined && {greeting: useCase.greeting}),
      prompts: useCase.prompts.map(
        ({label, prompt, icon}) => ({label, prompt, ...(icon !== undefined && {icon})}) as StartScreenPrompt,
      ),
    },
    // The server sends these in the form of ChatKit's options.
    composer: {
      ...(typeof placeholder === 'string' && {placeholder}),
      ...(isObject(attachments) && {attachments}),
      ...(Array.isArray(tools) && tools.length > 0 && {tools}),
      ...(Array.isArray(models) && models.length > 0 && {models}),
    } as NonNullable<ChatKitOptions['composer']>,
  };
}
