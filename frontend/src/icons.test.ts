import {render} from 'lit';
import {describe, expect, it} from 'vitest';
import {hasIcon, icon} from './icons.js';

const WIRE_NAMES =
  'agent analytics atom batch bolt book-clock book-closed book-open bug calendar chart check check-circle check-circle-filled chevron-left chevron-right circle-question clock compass confetti cube desktop document dot dots-horizontal dots-vertical empty-circle external-link globe images info keys lab lifesaver lightbulb mail map-pin maps mobile name notebook notebook-pencil page-blank phone play plus profile profile-card reload search settings-slider sparkle sparkle-double square-code square-image square-text star star-filled suitcase user wreath write write-alt write-alt2';
const HEADER_NAMES =
  'sidebar-left sidebar-right sidebar-open-left sidebar-open-right sidebar-open-left-alt sidebar-open-right-alt sidebar-floating-left sidebar-floating-right sidebar-floating-open-left sidebar-floating-open-right sidebar-collapse-left sidebar-collapse-right collapse-left collapse-right open-left open-right double-chevron-left double-chevron-right home home-alt back-small back-large expand-large collapse-large expand-small collapse-small star star-filled bug chat-temporary settings-cog grid dots-horizontal dots-vertical dots-horizontal-circle dots-vertical-circle menu menu-inverted hamburger history book-open compose share light-mode dark-mode close';

describe('icons', () => {
  it('draw every name of the wire and of the header', () => {
    for (const name of `${WIRE_NAMES} ${HEADER_NAMES}`.split(' ')) expect(hasIcon(name), name).toBe(true);
    expect(hasIcon('lucide:sun')).toBe(true);
  });

  it('keep the room of a name they do not know, and of what is no name', () => {
    for (const name of ['upload-cloud-99', 'vendor:x', 'constructor', null, 7, {}]) {
      const host = document.createElement('div');
      render(icon(name, '18'), host);
      expect(host.querySelector('svg')?.getAttribute('width')).toBe('18');
      expect(host.querySelector('path')?.getAttribute('d')).toBe('');
    }
  });

  it('are hidden from assistive technology', () => {
    const host = document.createElement('div');
    render(icon('check'), host);
    expect(host.querySelector('svg')?.getAttribute('aria-hidden')).toBe('true');
  });
});
