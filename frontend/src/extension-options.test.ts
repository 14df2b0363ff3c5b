import {describe, expect, it} from 'vitest';
import {findUnknownExtensions, readExtensions} from './extension-options.js';

describe('our own options', () => {
  it.each([
    [
      'the options',
      readExtensions({
        resume: true,
        baseUrl: '/own',
        drafts: true,
        maxChars: 900,
        sidebar: true,
        pageDrop: true,
        stylesheet: '/own.css',
        imageDomains: ['a.example', '*.b.example'],
        imageFrame: '/picture',
      }),
    ],
    [
      'attributes of the element',
      readExtensions(undefined, {
        parlorResume: '',
        parlorBaseUrl: '/own',
        parlorDrafts: '',
        parlorMaxChars: '900',
        parlorSidebar: '',
        parlorPageDrop: '',
        parlorStylesheet: '/own.css',
        parlorImageDomains: 'a.example, *.b.example',
        parlorImageFrame: '/picture',
      }),
    ],
    [
      'attributes of the script tag',
      readExtensions(
        undefined,
        {},
        {
          ...{resume: 'true', baseUrl: '/own', drafts: '', maxChars: '900', sidebar: '', pageDrop: ''},
          stylesheet: '/own.css',
          ...{imageDomains: 'a.example,*.b.example,', imageFrame: '/picture'},
        },
      ),
    ],
  ])('are read from %s', (_, extensions) => {
    expect(extensions).toEqual({
      ...{resume: true, baseUrl: '/own', drafts: true, maxChars: 900, sidebar: true, pageDrop: true},
      stylesheet: '/own.css',
      imageDomains: ['a.example', '*.b.example'],
      imageFrame: '/picture',
    });
  });

  it('take the options first, then the element, then the script tag', () => {
    expect(readExtensions({resume: false}, {parlorResume: ''}, {resume: ''}).resume).toBe(false);
    expect(readExtensions({}, {parlorResume: 'false'}, {resume: ''}).resume).toBe(false);
  });

  it('are off when nothing is said, or nothing that makes sense', () => {
    for (const options of [undefined, null, 1, 'x', [], {resume: 'yes', baseUrl: 7}]) {
      expect(readExtensions(options, {}, {})).toMatchObject({resume: false, drafts: false, stylesheet: undefined});
      expect(readExtensions({maxChars: -3}, {}, {}).maxChars).toBeUndefined();
    }
  });

  it('name those that nobody knows', () => {
    expect(findUnknownExtensions({resume: true, telemetry: 1})).toEqual(['parlor.telemetry']);
  });
});
