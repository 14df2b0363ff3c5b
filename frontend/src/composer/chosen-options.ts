/** The tool and the model that the user has chosen for the next message, out of those that the page offers. */

interface Choice {
  readonly id: string;
}

interface Model extends Choice {
  readonly disabled?: boolean;
  readonly default?: boolean;
}

export interface Offers<Tool extends Choice> {
  readonly tools: readonly Tool[];
  readonly models: readonly Model[];
}

export interface ChosenOptionsHost {
  readonly changed: () => void;
  readonly toolChanged: (toolId: string | null) => void;
  readonly log: (name: string, data: Readonly<Record<string, unknown>>) => void;
}

export class ChosenOptions<Tool extends Choice> {
  readonly #host: ChosenOptionsHost;
  #offers: Offers<Tool> = {tools: [], models: []};
  #toolId: string | undefined;
  #modelId: string | undefined;

  constructor(host: ChosenOptionsHost) {
    this.#host = host;
  }

  get toolId(): string | undefined {
    return this.#toolId;
  }

  get modelId(): string | undefined {
    return this.#modelId;
  }

  get tool(): Tool | undefined {
    return this.#offers.tools.find(({id}) => id === this.#toolId);
  }

  /** Sets the offered tools and models; a chosen tool that is gone is dropped, a model replaced by the default. */
  configure(offers: Offers<Tool>): void {
    this.#offers = offers;
    if (this.#toolId !== undefined && !this.tool) this.selectTool(undefined);
    const usable = offers.models.filter(({disabled}) => disabled !== true);
    if (!usable.some(({id}) => id === this.#modelId)) {
      this.#modelId = (usable.find(model => model.default === true) ?? usable[0])?.id;
    }
  }

  selectTool(toolId: string | undefined): void {
    if (toolId !== undefined && !this.#offers.tools.some(({id}) => id === toolId)) {
      this.#host.log('composer.unknown_tool', {toolId});
      return;
    }
    if (toolId === this.#toolId) return;
    this.#toolId = toolId;
    this.#host.changed();
    this.#host.toolChanged(toolId ?? null);
  }

  selectModel(modelId: string): void {
    if (!this.#offers.models.some(({id, disabled}) => id === modelId && disabled !== true)) {
      this.#host.log('composer.unknown_model', {modelId});
      return;
    }
    this.#modelId = modelId;
    this.#host.changed();
  }
}
