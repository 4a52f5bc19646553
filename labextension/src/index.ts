import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';

import { Cells, Context } from './cells';
import { Link } from './link';

const VERSION = '0.1.0';

/** Puts the cells that a dialog writes into its notebook. */
const bridge: JupyterFrontEndPlugin<void> = {
  id: '@integrator/notebook:bridge',
  description: 'Puts the cells that a dialog writes into its notebook.',
  autoStart: true,
  requires: [INotebookTracker],
  activate: (_: JupyterFrontEnd, tracker: INotebookTracker) => {
    // Two views of one notebook share a context; it gets one link, or each cell would be inserted twice.
    const links = new WeakMap<Context, Link>();
    const attach = (panel: NotebookPanel): void => {
      const context = panel.context;
      if (!links.has(context)) {
        const link = new Link(context, new Cells(context, tracker), VERSION);
        links.set(context, link);
        context.disposed.connect(() => link.dispose());
      }
    };
    tracker.forEach(attach);
    tracker.widgetAdded.connect((_, panel) => attach(panel));
  }
};

export default bridge;
