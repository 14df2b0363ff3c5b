import {describe, expect, it} from 'vitest';
import {BLOCKED_IMAGE, buildRequestedImage, showImagesInFrames, waitForImage} from './images.js';
import {MarkdownBlocks} from './incremental-blocks.js';
import {renderMarkdown} from './render.js';

const PICTURE = 'https://img.example/a.png?secret=1';

function draw(text: string, asked: readonly string[] = []): HTMLElement {
  const host = document.createElement('div');
  host.append(renderMarkdown(text, {requested: new Set(asked)}));
  return host;
}

describe('pictures of other origins', () => {
  it('wait behind a button that says what and from where', () => {
    const host = draw(`![A map](${PICTURE})`);
    expect(host.querySelector('img')).toBeNull();
    const button = host.querySelector(`button.${BLOCKED_IMAGE}`);
    expect(button?.textContent).toBe('A map Load the picture from img.example');
    expect(draw(`![](${PICTURE})`).querySelector('button')?.textContent).toContain('Picture');
  });

  it('are there once they were asked for, those and no others', () => {
    const host = draw(`![A map](${PICTURE}) ![B](https://img.example/b.png)`, [PICTURE]);
    expect([...host.querySelectorAll('img')].map(image => image.getAttribute('src'))).toEqual([PICTURE]);
    expect(host.querySelectorAll('button')).toHaveLength(1);
  });

  it('stand beside the link that they were in, which keeps a name', () => {
    for (const [text, name] of [
      [`[![A map](${PICTURE})](https://a.example)`, 'A map'],
      [`[![](${PICTURE})](https://a.example)`, 'https://a.example'],
      [`[See ![A map](${PICTURE})](https://a.example)`, 'See'],
    ] as const) {
      const host = draw(text);
      expect(host.querySelector('a')?.textContent?.trim()).toBe(name);
      expect(host.querySelector('a button')).toBeNull();
      expect(host.querySelectorAll('button')).toHaveLength(1);
    }
  });

  it.each([
    'javascript:alert(1)',
    'https://user:secret@img.example/x.png',
    'data:text/html,x',
    'blob:https://img.example/1',
  ])('with an address that nothing may load are their alternative text: %s', url => {
    const host = draw(`![A map](${url})`);
    expect(host.querySelector('img, button')).toBeNull();
    expect(host.textContent).toContain('A map');
  });

  it('are asked for by the same button while the text grows', () => {
    const host = document.createElement('div');
    const blocks = new MarkdownBlocks(host, {hasTime: () => true, schedule: () => () => {}});
    const options = {requested: new Set<string>()};
    blocks.render(`See ![A map](${PICTURE}) and`, true, options);
    const button = host.querySelector('button');
    blocks.render(`See ![A map](${PICTURE}) and more`, true, options);
    expect(button).not.toBeNull();
    expect(host.querySelector('button')).toBe(button);
    blocks.render(`See ![A map](${PICTURE}) and more ![B](https://b.example/b.png) here`, false, options);
    const sources = [...host.querySelectorAll('button')].map(({dataset}) => dataset.src);
    expect(sources).toEqual([PICTURE, 'https://b.example/b.png']);
  });

  it('of the page itself need no button', () => {
    expect(draw('![a](/own.png)').querySelector('img')?.getAttribute('src')).toBe('/own.png');
  });

  it('come as they are where the page allows them, else by a frame of the page', async () => {
    const image = buildRequestedImage(PICTURE, 'A map');
    expect([image.localName, image.getAttribute('src'), image.getAttribute('alt')]).toEqual(['img', PICTURE, 'A map']);
    expect(image.getAttribute('referrerpolicy')).toBe('no-referrer');
    showImagesInFrames('/picture');
    const frame = buildRequestedImage(PICTURE, '');
    showImagesInFrames(undefined);
    expect(frame.getAttribute('src')).toBe(`/picture?src=${encodeURIComponent(PICTURE)}`);
    expect(frame.getAttribute('title')).toBe('Picture');
    const isShown = waitForImage(image);
    image.dispatchEvent(new Event('error'));
    expect(await isShown).toBe(false);
  });
});
