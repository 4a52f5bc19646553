import { ILayoutRestorer, JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { Badges } from './badges';
import { addCommands } from './commands';
import { ILinks, Links } from './links';
import { PANEL_ID, SidePanel } from './panel';

const VERSION = '0.1.0';
const DOMAIN = 'integrator';

const bridge: JupyterFrontEndPlugin<Links> = {
  id: '@integrator/notebook:bridge',
  description: 'Puts the cells that a dialog writes into its notebook.',
  autoStart: true,
  requires: [INotebookTracker],
  provides: ILinks,
  activate: (_: JupyterFrontEnd, tracker: INotebookTracker) => new Links(tracker, VERSION)
};

const panel: JupyterFrontEndPlugin<void> = {
  id: '@integrator/notebook:panel',
  description: 'The side panel, its commands, and the line above script cells.',
  autoStart: true,
  requires: [INotebookTracker, ILinks],
  optional: [ITranslator, ILayoutRestorer, ICommandPalette, ILauncher, IDefaultFileBrowser],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    links: Links,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    launcher: ILauncher | null,
    browser: IDefaultFileBrowser | null
  ) => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const side = new SidePanel(links, app.commands, trans);
    app.shell.add(side, 'right', { rank: 700 });
    restorer?.add(side, PANEL_ID);
    addCommands({ app, links, trans, panelId: PANEL_ID, palette, launcher, browser });
    const attach = (view: NotebookPanel): void => void new Badges(view, links.of(view), trans);
    tracker.forEach(attach);
    tracker.widgetAdded.connect((_, view) => attach(view));
  }
};

export default [bridge, panel];
