/** The names that a page may style with `::part`, handed on through every shadow root between them and the page. */

/** Public API, described in docs/theming.md. A name stays until the next major version. */
export const exportedParts: string =
  'attachment,bubble,citation,closed,composer,drop-target,entity,entity-preview,generated-image,greeting,header,history,input,message-assistant,message-user,notice,prompt,quote,root,send-button,sources,start-screen,stop-button,structured-input,suggestions,title,tool,transcript,widget';
