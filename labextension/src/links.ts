/** The lines of all open notebooks, and which notebook is the current one. */
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { Token } from '@lumino/coreutils';
import { ISignal, Signal } from '@lumino/signaling';

import { Cells, Context } from './cells';
import { Link } from './link';

export const ILinks = new Token<Links>('@integrator/notebook:ILinks');

export class Links {
  constructor(
    private readonly tracker: INotebookTracker,
    private readonly version: string
  ) {
    tracker.forEach(panel => this.of(panel));
    tracker.widgetAdded.connect((_, panel) => void this.of(panel));
    tracker.currentChanged.connect(() => this.onChange.emit());
  }

  /** The current notebook is another one, or its state changed. */
  get changed(): ISignal<this, void> {
    return this.onChange;
  }

  get panel(): NotebookPanel | null {
    return this.tracker.currentWidget;
  }

  get link(): Link | null {
    return this.panel && this.of(this.panel);
  }

  /** Two views of one notebook share a context; it gets one line, or each cell would be inserted twice. */
  of(panel: NotebookPanel): Link {
    const context = panel.context;
    let link = this.links.get(context);
    if (!link) {
      link = new Link(context, new Cells(context, this.tracker), this.version);
      this.links.set(context, link);
      link.changed.connect(changed => {
        if (changed === this.link) {
          this.onChange.emit();
        }
      });
      context.disposed.connect(() => link?.dispose());
    }
    return link;
  }

  private readonly links = new WeakMap<Context, Link>();
  private readonly onChange = new Signal<this, void>(this);
}
