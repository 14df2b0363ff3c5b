/** View options of the gallery: colour scheme, width, text direction and text size; stored in the page's URL. */

export interface View {
  readonly scheme: 'light' | 'dark';
  readonly width: 'full' | '320' | '360' | '640' | '1000';
  readonly dir: 'ltr' | 'rtl';
  readonly text: '100' | '200';
}

/** The label and the values of each option; the first value is the default. */
export const VIEW_CHOICES: {
  readonly [N in keyof View]: {readonly label: string; readonly values: Readonly<Record<View[N], string>>};
} = {
  scheme: {label: 'Colours', values: {light: 'light', dark: 'dark'}},
  width: {
    label: 'Width',
    values: {full: 'all there is', 320: '320 px', 360: '360 px', 640: '640 px', 1000: '1,000 px'},
  },
  dir: {label: 'Direction', values: {ltr: 'left to right', rtl: 'right to left'}},
  text: {label: 'Text', values: {100: '100 %', 200: '200 %'}},
};

/** Parses the query of a URL; unknown values become the defaults. */
export function readView(query: string): View {
  const parameters = new URLSearchParams(query);
  const pick = <N extends keyof View>(name: N, fallback: View[N]): View[N] => {
    const value = parameters.get(name) ?? '';
    return Object.hasOwn(VIEW_CHOICES[name].values, value) ? (value as View[N]) : fallback;
  };
  return {
    scheme: pick('scheme', 'light'),
    width: pick('width', 'full'),
    dir: pick('dir', 'ltr'),
    text: pick('text', '100'),
  };
}

export function writeView(view: View): string {
  return `?${new URLSearchParams({...view})}`;
}
