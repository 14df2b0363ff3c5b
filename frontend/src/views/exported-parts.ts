/** The names that a page may style with `::part`; every shadow root in between has to export them. */

/** Public API, described in docs/theming.md. Names may be removed in major versions only. */
export const exportedParts: string =
  'attachment,bubble,citation,closed,composer,drop-target,entity,entity-preview,generated-image,greeting,header,history,input,message-assistant,message-user,notice,prompt,quote,root,send-button,sources,start-screen,stop-button,structured-input,suggestions,title,tool,transcript,widget';
