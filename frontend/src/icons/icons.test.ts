import {render} from 'lit';
import {describe, expect, it} from 'vitest';
import {icons as rareIcons} from '../parts/icons.js';
import {hasIcon, icon} from './icons.js';
import {LazyIcons} from './lazy-icons.js';
import {LUCIDE_PARTS, lucidePartOf} from './lucide-names.js';

const WIRE_NAMES =
  'agent analytics atom batch bolt book-clock book-closed book-open bug calendar chart check check-circle check-circle-filled chevron-left chevron-right circle-question clock compass confetti cube desktop document dot dots-horizontal dots-vertical empty-circle external-link globe images info keys lab lifesaver lightbulb mail map-pin maps mobile name notebook notebook-pencil page-blank phone play plus profile profile-card reload search settings-slider sparkle sparkle-double square-code square-image square-text star star-filled suitcase user wreath write write-alt write-alt2';
const HEADER_NAMES =
  'sidebar-left sidebar-right sidebar-open-left sidebar-open-right sidebar-open-left-alt sidebar-open-right-alt sidebar-floating-left sidebar-floating-right sidebar-floating-open-left sidebar-floating-open-right sidebar-collapse-left sidebar-collapse-right collapse-left collapse-right open-left open-right double-chevron-left double-chevron-right home home-alt back-small back-large expand-large collapse-large expand-small collapse-small star star-filled bug chat-temporary settings-cog grid dots-horizontal dots-vertical dots-horizontal-circle dots-vertical-circle menu menu-inverted hamburger history book-open compose share light-mode dark-mode close';

const NEUTRAL = 'M12 9a3 3 0 1 1 0 6a3 3 0 0 1 0-6z';

describe('icons', () => {
  it('draw every name of the wire and of the header, from the core or from one lazy part', async () => {
    const asked = new Set<string>();
    const lazy = new LazyIcons(part => {
      asked.add(part);
      return Promise.resolve({icons: rareIcons});
    });
    for (const name of `${WIRE_NAMES} ${HEADER_NAMES}`.split(' ')) {
      expect(hasIcon(name), name).toBe(true);
      const path = (await renderIcon(name, lazy)).querySelector('path')?.getAttribute('d');
      expect(path?.length, name).toBeGreaterThan(10);
      expect(path, name).not.toBe(NEUTRAL);
    }
    expect([...asked]).toEqual(['icons']);
  });

  it('of the core wait for nothing', () => {
    const never = new LazyIcons(() => Promise.reject(new Error('asked')));
    const own =
      'plus mic arrow-up arrow-down stop close compose history copy thumbs-up thumbs-down reload check trash write code';
    for (const name of own.split(' ')) {
      const host = document.createElement('div');
      render(icon(name, '18', never), host);
      expect(host.querySelector('path')?.getAttribute('d')?.length, name).toBeGreaterThan(10);
    }
  });

  it('leave no hole for a name that nobody knows, and nothing at all for what is no name', async () => {
    const none = new LazyIcons(() => Promise.resolve({icons: new Map()}));
    for (const name of ['upload-cloud-99', 'vendor:x', 'lucide:', 'constructor', 'https://shop.example/a.png']) {
      const host = await renderIcon(name, none);
      expect(host.querySelector('svg')?.getAttribute('width'), name).toBe('18');
      expect(host.querySelector('path')?.getAttribute('d'), name).toBe(NEUTRAL);
    }
    for (const name of [null, undefined, '', 7, {}])
      expect((await renderIcon(name, none)).querySelector('svg')).toBeNull();
    expect(hasIcon('https://shop.example/a.png')).toBe(false);
  });

  it('come from Lucide when they are not built in, with and without the prefix', async () => {
    const asked: string[] = [];
    const lucide = new Map([
      ['rocket', 'M1 1h1'],
      ['trash2', 'M2 2h2'],
      ['bolt', 'M3 3h3'],
      ['hamburger', 'M4 4h4'],
    ]);
    const lazy = new LazyIcons(part => {
      asked.push(part);
      return Promise.resolve({icons: part === 'icons' ? rareIcons : lucide});
    });
    const pathOf = async (name: string) => (await renderIcon(name, lazy)).querySelector('path')?.getAttribute('d');
    for (const name of ['lucide:rocket', 'lucide:Rocket', 'rocket']) expect(await pathOf(name), name).toBe('M1 1h1');
    expect(asked).toEqual([lucidePartOf('rocket'), 'icons']);
    expect(LUCIDE_PARTS).toContain(asked[0]);
    // Once it is there, it is drawn at once.
    const host = document.createElement('div');
    render(icon('rocket', '18', lazy), host);
    expect(host.querySelector('path')?.getAttribute('d')).toBe('M1 1h1');
    // Built in is what both mean by a name; what only looks alike is not.
    expect(await pathOf('lucide:trash-2')).not.toBe('M2 2h2');
    expect(await pathOf('lucide:bolt')).toBe('M3 3h3');
    expect(await pathOf('bolt')).not.toBe('M3 3h3');
    expect(await pathOf('lucide:hamburger')).toBe('M4 4h4');
    expect(await pathOf('hamburger')).not.toBe('M4 4h4');
  });

  it('are a neutral sign while their part cannot be had', async () => {
    const host = await renderIcon('lucide:rocket', new LazyIcons(() => Promise.reject(new Error('offline'))));
    expect(host.querySelector('path')?.getAttribute('d')).toBe(NEUTRAL);
  });

  it('are hidden from assistive technology', () => {
    const host = document.createElement('div');
    render(icon('check'), host);
    expect(host.querySelector('svg')?.getAttribute('aria-hidden')).toBe('true');
  });
});

async function renderIcon(name: unknown, lazy: LazyIcons): Promise<HTMLElement> {
  const host = document.createElement('div');
  render(icon(name, '18', lazy), host);
  // The part, and what waits for it.
  await new Promise(resolve => setTimeout(resolve));
  return host;
}
