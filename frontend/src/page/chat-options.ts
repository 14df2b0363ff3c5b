/** The options of `<openai-chatkit>` for one use case, in the published contract: any implementation takes them. */
import type {ChatKitOptions, ColorScheme, StartScreenPrompt} from '@openai/chatkit';
import {isObject} from '../protocol/parsing.js';
import type {UseCase} from './platform.js';
import {serverAddress} from './server-address.js';

export interface ChatLook {
  readonly scheme: ColorScheme;
  /** Any colour that CSS knows. */
  readonly accent: string;
}

/**
 * @param initialThread The conversation to begin with.
 * @param fetch The way to the server, where it is not the browser's own.
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
      // The type asks for one; our element has no use for it.
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
    // The server has written these in ChatKit's own shapes.
    composer: {
      ...(typeof placeholder === 'string' && {placeholder}),
      ...(isObject(attachments) && {attachments}),
      ...(Array.isArray(tools) && tools.length > 0 && {tools}),
      ...(Array.isArray(models) && models.length > 0 && {models}),
    } as NonNullable<ChatKitOptions['composer']>,
  };
}
