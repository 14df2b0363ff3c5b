/** ChatKit's components and their props, of widgets/catalogue.json; written by: ./parlor widget-catalogue */

/** A component of any kind. */
export type Component = {[T in keyof Components]: {readonly type: T} & Components[T]}[keyof Components];

export type IconName =
  "agent" | "analytics" | "atom" | "batch" | "bolt" | "book-clock" | "book-closed" | "book-open" | "bug" | "calendar"
  | "chart" | "check" | "check-circle" | "check-circle-filled" | "chevron-left" | "chevron-right" | "circle-question"
  | "clock" | "compass" | "confetti" | "cube" | "desktop" | "document" | "dot" | "dots-horizontal" | "dots-vertical" |
  "empty-circle" | "external-link" | "globe" | "images" | "info" | "keys" | "lab" | "lifesaver" | "lightbulb" | "mail"
  | "map-pin" | "maps" | "mobile" | "name" | "notebook" | "notebook-pencil" | "page-blank" | "phone" | "play" | "plus"
  | "profile" | "profile-card" | "reload" | "search" | "settings-slider" | "sparkle" | "sparkle-double" |
  "square-code" | "square-image" | "square-text" | "star" | "star-filled" | "suitcase" | "user" | "wreath" | "write" |
  "write-alt" | "write-alt2" | `vendor:${string}` | `lucide:${string}`;

interface Identity {
  readonly key?: string | null;
  readonly id?: string | null;
}

interface Size {
  readonly height?: number | string | null;
  readonly width?: number | string | null;
  readonly size?: number | string | null;
  readonly minHeight?: number | string | null;
  readonly minWidth?: number | string | null;
  readonly minSize?: number | string | null;
  readonly maxHeight?: number | string | null;
  readonly maxWidth?: number | string | null;
  readonly maxSize?: number | string | null;
  readonly aspectRatio?: number | string | null;
}

interface Flexbox {
  readonly children?: readonly Component[] | null;
  readonly align?: "start" | "center" | "end" | "baseline" | "stretch" | null;
  readonly justify?: "start" | "center" | "end" | "between" | "around" | "evenly" | "stretch" | null;
  readonly wrap?: "nowrap" | "wrap" | "wrap-reverse" | null;
  readonly flex?: number | string | null;
  readonly gap?: number | string | null;
}

interface Surface {
  readonly padding?: number | string | Spacing | null;
  readonly border?: number | Border | Borders | null;
  readonly background?: string | ThemeColor | null;
  readonly radius?: "2xs" | "xs" | "sm" | "md" | "lg" | "xl" | "2xl" | "3xl" | "4xl" | "full" | "100%" | "none" | null;
  readonly margin?: number | string | Spacing | null;
}

/** The props of each component but `type`. */
export interface Components {
  readonly "Badge": Identity & {
    readonly label: string;
    readonly color?: "secondary" | "success" | "danger" | "warning" | "info" | "discovery" | null;
    readonly variant?: "solid" | "soft" | "outline" | null;
    readonly size?: "sm" | "md" | "lg" | null;
    readonly pill?: boolean | null;
  };
  readonly "Basic": Identity & {
    readonly children: readonly Component[];
    readonly theme?: "light" | "dark" | null;
    readonly direction?: "row" | "col" | null;
    readonly align?: "start" | "center" | "end" | "baseline" | "stretch" | null;
    readonly justify?: "start" | "center" | "end" | "between" | "around" | "evenly" | "stretch" | null;
    readonly gap?: number | string | null;
    readonly padding?: number | string | Spacing | null;
  };
  readonly "Box": Identity & Size & Flexbox & Surface & {
    readonly direction?: "row" | "col" | null;
  };
  readonly "Button": Identity & {
    readonly submit?: boolean | null;
    readonly label?: string | null;
    readonly onClickAction?: ActionConfig | null;
    readonly iconStart?: IconName | null;
    readonly iconEnd?: IconName | null;
    readonly style?: "primary" | "secondary" | null;
    readonly iconSize?: "sm" | "md" | "lg" | "xl" | "2xl" | null;
    readonly color?: "primary" | "secondary" | "info" | "discovery" | "success" | "caution" | "warning" | "danger" | null;
    readonly variant?: "solid" | "soft" | "outline" | "ghost" | null;
    readonly size?: "3xs" | "2xs" | "xs" | "sm" | "md" | "lg" | "xl" | "2xl" | "3xl" | null;
    readonly pill?: boolean | null;
    readonly uniform?: boolean | null;
    readonly block?: boolean | null;
    readonly disabled?: boolean | null;
    readonly ariaLabel?: string | null;
  };
  readonly "Caption": Identity & {
    readonly size?: "sm" | "md" | "lg" | null;
    readonly value: string;
    readonly color?: string | ThemeColor | null;
    readonly weight?: "normal" | "medium" | "semibold" | "bold" | null;
    readonly textAlign?: "start" | "center" | "end" | null;
    readonly truncate?: boolean | null;
    readonly maxLines?: number | null;
  };
  readonly "Card": Identity & {
    readonly asForm?: boolean | null;
    readonly children: readonly Component[];
    readonly background?: string | ThemeColor | null;
    readonly border?: number | Border | Borders | null;
    readonly size?: "sm" | "md" | "lg" | "full" | null;
    readonly padding?: number | string | Spacing | null;
    readonly status?: WidgetStatus | null;
    readonly collapsed?: boolean | null;
    readonly confirm?: CardAction | null;
    readonly cancel?: CardAction | null;
    readonly theme?: "light" | "dark" | null;
  };
  readonly "Chart": Identity & Size & {
    readonly data: readonly Readonly<Record<string, unknown>>[];
    readonly series: readonly BarSeries[] | readonly AreaSeries[] | readonly LineSeries[];
    readonly xAxis: string | XAxisConfig;
    readonly showYAxis?: boolean | null;
    readonly showLegend?: boolean | null;
    readonly showTooltip?: boolean | null;
    readonly barGap?: number | null;
    readonly barCategoryGap?: number | null;
    readonly flex?: number | string | null;
  };
  readonly "Checkbox": Identity & {
    readonly name: string;
    readonly label?: string | null;
    readonly defaultChecked?: boolean | null;
    readonly onChangeAction?: ActionConfig | null;
    readonly disabled?: boolean | null;
    readonly required?: boolean | null;
  };
  readonly "Col": Identity & Size & Flexbox & Surface;
  readonly "DatePicker": Identity & {
    readonly name: string;
    readonly onChangeAction?: ActionConfig | null;
    readonly placeholder?: string | null;
    readonly defaultValue?: string | null;
    readonly min?: string | null;
    readonly max?: string | null;
    readonly variant?: "solid" | "soft" | "outline" | "ghost" | null;
    readonly size?: "3xs" | "2xs" | "xs" | "sm" | "md" | "lg" | "xl" | "2xl" | "3xl" | null;
    readonly side?: "top" | "bottom" | "left" | "right" | null;
    readonly align?: "start" | "center" | "end" | null;
    readonly pill?: boolean | null;
    readonly block?: boolean | null;
    readonly clearable?: boolean | null;
    readonly disabled?: boolean | null;
  };
  readonly "Divider": Identity & {
    readonly color?: string | ThemeColor | null;
    readonly size?: number | string | null;
    readonly spacing?: number | string | null;
    readonly flush?: boolean | null;
  };
  readonly "Form": Identity & Size & Flexbox & Surface & {
    readonly onSubmitAction?: ActionConfig | null;
    readonly direction?: "row" | "col" | null;
  };
  readonly "Icon": Identity & {
    readonly name: IconName;
    readonly color?: string | ThemeColor | null;
    readonly size?: "xs" | "sm" | "md" | "lg" | "xl" | "2xl" | "3xl" | null;
  };
  readonly "Image": Identity & Size & {
    readonly src: string;
    readonly alt?: string | null;
    readonly frame?: boolean | null;
    readonly fit?: "cover" | "contain" | "fill" | "scale-down" | "none" | null;
    readonly position?: "top left" | "top" | "top right" | "left" | "center" | "right" | "bottom left" | "bottom" | "bottom right" | null;
    readonly flush?: boolean | null;
    readonly radius?: "2xs" | "xs" | "sm" | "md" | "lg" | "xl" | "2xl" | "3xl" | "4xl" | "full" | "100%" | "none" | null;
    readonly margin?: number | string | Spacing | null;
    readonly background?: string | ThemeColor | null;
    readonly flex?: number | string | null;
  };
  readonly "Input": Identity & {
    readonly name: string;
    readonly inputType?: "number" | "email" | "text" | "password" | "tel" | "url" | null;
    readonly defaultValue?: string | null;
    readonly required?: boolean | null;
    readonly pattern?: string | null;
    readonly placeholder?: string | null;
    readonly allowAutofillExtensions?: boolean | null;
    readonly autoSelect?: boolean | null;
    readonly autoFocus?: boolean | null;
    readonly disabled?: boolean | null;
    readonly variant?: "soft" | "outline" | null;
    readonly size?: "3xs" | "2xs" | "xs" | "sm" | "md" | "lg" | "xl" | "2xl" | "3xl" | null;
    readonly gutterSize?: "2xs" | "xs" | "sm" | "md" | "lg" | "xl" | null;
    readonly pill?: boolean | null;
  };
  readonly "Label": Identity & {
    readonly value: string;
    readonly fieldName: string;
    readonly size?: "xs" | "sm" | "md" | "lg" | "xl" | null;
    readonly weight?: "normal" | "medium" | "semibold" | "bold" | null;
    readonly textAlign?: "start" | "center" | "end" | null;
    readonly color?: string | ThemeColor | null;
  };
  readonly "ListView": Identity & {
    readonly children: readonly Component[];
    readonly limit?: "auto" | number | null;
    readonly status?: WidgetStatus | null;
    readonly theme?: "light" | "dark" | null;
  };
  readonly "ListViewItem": Identity & {
    readonly children: readonly Component[];
    readonly onClickAction?: ActionConfig | null;
    readonly gap?: number | string | null;
    readonly align?: "start" | "center" | "end" | "baseline" | "stretch" | null;
  };
  readonly "Markdown": Identity & {
    readonly value: string;
    readonly streaming?: boolean | null;
  };
  readonly "RadioGroup": Identity & {
    readonly name: string;
    readonly options?: readonly RadioOption[] | null;
    readonly ariaLabel?: string | null;
    readonly onChangeAction?: ActionConfig | null;
    readonly defaultValue?: string | null;
    readonly direction?: "row" | "col" | null;
    readonly disabled?: boolean | null;
    readonly required?: boolean | null;
  };
  readonly "Row": Identity & Size & Flexbox & Surface;
  readonly "Select": Identity & {
    readonly name: string;
    readonly options: readonly SelectOption[];
    readonly onChangeAction?: ActionConfig | null;
    readonly placeholder?: string | null;
    readonly defaultValue?: string | null;
    readonly variant?: "solid" | "soft" | "outline" | "ghost" | null;
    readonly size?: "3xs" | "2xs" | "xs" | "sm" | "md" | "lg" | "xl" | "2xl" | "3xl" | null;
    readonly pill?: boolean | null;
    readonly block?: boolean | null;
    readonly clearable?: boolean | null;
    readonly disabled?: boolean | null;
    readonly searchable?: boolean | null;
  };
  readonly "Spacer": Identity & {
    readonly minSize?: number | string | null;
  };
  readonly "Table": Identity & {
    readonly children?: readonly Component[] | null;
  };
  readonly "Table.Cell": Identity & {
    readonly children?: readonly Component[] | null;
    readonly width?: number | string | null;
    readonly padding?: Spacing | null;
    readonly colSpan?: number | null;
    readonly rowSpan?: number | null;
    readonly align?: "start" | "center" | "end" | null;
    readonly vAlign?: "start" | "center" | "end" | null;
    readonly colSize?: "xs" | "sm" | "md" | "lg" | "xl" | null;
  };
  readonly "Table.Row": Identity & {
    readonly children?: readonly Component[] | null;
    readonly header?: boolean | null;
  };
  readonly "Text": Identity & {
    readonly value: string;
    readonly streaming?: boolean | null;
    readonly italic?: boolean | null;
    readonly lineThrough?: boolean | null;
    readonly width?: number | string | null;
    readonly size?: "xs" | "sm" | "md" | "lg" | "xl" | null;
    readonly minLines?: number | null;
    readonly editable?: false | EditableProps | null;
    readonly color?: string | ThemeColor | null;
    readonly weight?: "normal" | "medium" | "semibold" | "bold" | null;
    readonly textAlign?: "start" | "center" | "end" | null;
    readonly truncate?: boolean | null;
    readonly maxLines?: number | null;
  };
  readonly "Textarea": Identity & {
    readonly name: string;
    readonly defaultValue?: string | null;
    readonly required?: boolean | null;
    readonly pattern?: string | null;
    readonly placeholder?: string | null;
    readonly autoSelect?: boolean | null;
    readonly autoFocus?: boolean | null;
    readonly disabled?: boolean | null;
    readonly variant?: "soft" | "outline" | null;
    readonly size?: "3xs" | "2xs" | "xs" | "sm" | "md" | "lg" | "xl" | "2xl" | "3xl" | null;
    readonly gutterSize?: "2xs" | "xs" | "sm" | "md" | "lg" | "xl" | null;
    readonly rows?: number | null;
    readonly autoResize?: boolean | null;
    readonly maxRows?: number | null;
    readonly allowAutofillExtensions?: boolean | null;
  };
  readonly "Title": Identity & {
    readonly size?: "sm" | "md" | "lg" | "xl" | "2xl" | "3xl" | "4xl" | "5xl" | null;
    readonly value: string;
    readonly color?: string | ThemeColor | null;
    readonly weight?: "normal" | "medium" | "semibold" | "bold" | null;
    readonly textAlign?: "start" | "center" | "end" | null;
    readonly truncate?: boolean | null;
    readonly maxLines?: number | null;
  };
  readonly "Transition": Identity & {
    readonly children: Component | null;
  };
}

export interface ActionConfig {
  readonly type: string;
  readonly payload?: unknown | null;
  readonly handler?: "client" | "server" | null;
  readonly loadingBehavior?: "auto" | "none" | "self" | "container" | null;
  readonly streaming?: boolean | null;
}

export interface AreaSeries {
  readonly type: "area";
  readonly label: string | null;
  readonly dataKey: string;
  readonly stack?: string | null;
  readonly color?: string | ThemeColor | null;
  readonly curveType?: "basis" | "basisClosed" | "basisOpen" | "bumpX" | "bumpY" | "bump" | "linear" | "linearClosed" | "natural" | "monotoneX" | "monotoneY" | "monotone" | "step" | "stepBefore" | "stepAfter" | null;
}

export interface BarSeries {
  readonly type: "bar";
  readonly label: string | null;
  readonly dataKey: string;
  readonly stack?: string | null;
  readonly color?: string | ThemeColor | null;
}

export interface Border {
  readonly size: number;
  readonly color?: string | ThemeColor | null;
  readonly style?: "solid" | "dashed" | "dotted" | "double" | "groove" | "ridge" | "inset" | "outset" | null;
}

export interface Borders {
  readonly top?: number | Border | null;
  readonly right?: number | Border | null;
  readonly bottom?: number | Border | null;
  readonly left?: number | Border | null;
  readonly x?: number | Border | null;
  readonly y?: number | Border | null;
}

export interface CardAction {
  readonly label: string;
  readonly action: ActionConfig;
}

export interface EditableProps {
  readonly name: string;
  readonly autoFocus?: boolean | null;
  readonly autoSelect?: boolean | null;
  readonly autoComplete?: string | null;
  readonly allowAutofillExtensions?: boolean | null;
  readonly pattern?: string | null;
  readonly placeholder?: string | null;
  readonly required?: boolean | null;
}

export interface LineSeries {
  readonly type: "line";
  readonly label: string | null;
  readonly dataKey: string;
  readonly color?: string | ThemeColor | null;
  readonly curveType?: "basis" | "basisClosed" | "basisOpen" | "bumpX" | "bumpY" | "bump" | "linear" | "linearClosed" | "natural" | "monotoneX" | "monotoneY" | "monotone" | "step" | "stepBefore" | "stepAfter" | null;
}

export interface RadioOption {
  readonly label: string;
  readonly value: string;
  readonly disabled?: boolean | null;
}

export interface SelectOption {
  readonly value: string;
  readonly label: string;
  readonly disabled?: boolean | null;
  readonly description?: string | null;
}

export interface Spacing {
  readonly top?: number | string | null;
  readonly right?: number | string | null;
  readonly bottom?: number | string | null;
  readonly left?: number | string | null;
  readonly x?: number | string | null;
  readonly y?: number | string | null;
}

export interface ThemeColor {
  readonly dark: string;
  readonly light: string;
}

export interface WidgetStatus {
  readonly text: string;
  readonly favicon?: string | null;
  readonly frame?: boolean | null;
  readonly icon?: IconName | null;
}

export interface XAxisConfig {
  readonly dataKey: string;
  readonly hide?: boolean | null;
  readonly labels?: Readonly<Record<string, unknown>> | null;
}
