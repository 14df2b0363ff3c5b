import {beforeEach, describe, expect, it} from 'vitest';
import {Memory} from './memory.js';

describe('Memory', () => {
  beforeEach(() => localStorage.clear());

  it('keeps one thread per use case', () => {
    const memory = new Memory(() => localStorage);
    memory.keepThread('weather', 'thr_1');
    memory.keepThread('todo', 'thr_2');
    memory.keepThread('todo', null);
    expect(new Memory(() => localStorage).thread('weather')).toBe('thr_1');
    expect(memory.thread('todo')).toBeNull();
  });

  it('reads an unknown colour scheme as the system’s', () => {
    localStorage.setItem('parlor.scheme', 'sepia');
    expect(new Memory(() => localStorage).scheme()).toBe('system');
  });

  it('only forgets where storage is blocked', () => {
    const memory = new Memory(() => {
      throw new DOMException('blocked', 'SecurityError');
    });
    memory.keepThread('weather', 'thr_1');
    memory.keepScheme('dark');
    expect(memory.thread('weather')).toBeNull();
    expect(memory.scheme()).toBe('system');
  });
});
