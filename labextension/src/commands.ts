/** The commands: in the palette, on the launcher, by key, and behind the panel's buttons. */
import { JupyterFrontEnd } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import { NotebookPanel } from '@jupyterlab/notebook';
import { Contents } from '@jupyterlab/services';
import { TranslationBundle } from '@jupyterlab/translation';
import { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { cellsOf, goTo, LOAD, runLine, show } from './acting';
import { icon } from './icon';
import { Links } from './links';
import { scriptName } from './protocol';
import { cellOf, freeName, nextWaiting } from './reading';
import { template, WRITE_IN } from './template';

export namespace CommandIDs {
  export const create = 'integrator:new';
  export const panel = 'integrator:show-panel';
  export const jump = 'integrator:jump-to-waiting';
  export const load = 'integrator:load';
  export const practice = 'integrator:practice';
  export const connect = 'integrator:connect';
  export const exportScript = 'integrator:export-script';
  export const verify = 'integrator:verify-audit';
  export const cancel = 'integrator:cancel-dialog';
}

export interface ISurroundings {
  app: JupyterFrontEnd;
  links: Links;
  trans: TranslationBundle;
  panelId: string;
  palette: ICommandPalette | null;
  launcher: ILauncher | null;
  browser: IDefaultFileBrowser | null;
}

export function addCommands({ app, links, trans, panelId, palette, launcher, browser }: ISurroundings): void {
  const { commands } = app;
  const category = trans.__('Integrator');

  const add = (
    id: string,
    label: string,
    caption: string,
    execute: (args: ReadonlyPartialJSONObject) => unknown,
    isEnabled: () => boolean = () => links.panel !== null
  ): void => {
    commands.addCommand(id, {
      label,
      caption,
      icon: id === CommandIDs.create ? icon : undefined,
      isEnabled,
      execute,
      describedBy: { args: { type: 'object', properties: {} } }
    });
    if (id !== CommandIDs.connect) {
      palette?.addItem({ command: id, category });
    }
  };
  const inNotebook = (act: (panel: NotebookPanel, args: ReadonlyPartialJSONObject) => unknown) => {
    return (args: ReadonlyPartialJSONObject) => (links.panel ? act(links.panel, args) : undefined);
  };
  const current = (panel: NotebookPanel): string | null =>
    scriptName(panel.content.activeCell?.model.sharedModel.getSource() ?? '');

  add(
    CommandIDs.create,
    trans.__('New integration'),
    trans.__('A notebook in which you say what you need'),
    args => create(app, trans, String(args.cwd ?? browser?.model.path ?? '')),
    () => true
  );
  add(
    CommandIDs.panel,
    trans.__('Show the Integrator panel'),
    trans.__('Systems, what waits for you, what runs, scripts, audit log, cost'),
    () => app.shell.activateById(panelId),
    () => true
  );
  add(
    CommandIDs.jump,
    trans.__('Jump to what waits for you'),
    trans.__('Go to the cell with the next question or approval'),
    inNotebook(panel => {
      const waiting = links.link?.state?.waiting ?? [];
      const cells = cellsOf(panel);
      const next = nextWaiting(waiting, panel.content.activeCellIndex, item => cellOf(item, cells));
      return next && show(panel, next);
    }),
    () => (links.link?.state?.waiting.length ?? 0) > 0
  );
  add(
    CommandIDs.load,
    trans.__('Load Integrator in this notebook'),
    trans.__('Runs %1 in its first cell', LOAD),
    inNotebook(panel => runLine(panel, LOAD, true))
  );
  add(
    CommandIDs.practice,
    trans.__('Start the practice systems'),
    trans.__('Systems on this machine with made-up people: no account needed'),
    inNotebook(panel => runLine(panel, '%integrator demo'))
  );
  add(
    CommandIDs.connect,
    trans.__('Connect a system'),
    trans.__('Opens the form of a system in a cell'),
    inNotebook((panel, args) => {
      const name = String(args.system ?? '');
      return /^[a-z][a-z0-9_]*$/.test(name) ? runLine(panel, `%connect ${name}`) : undefined;
    })
  );
  add(
    CommandIDs.exportScript,
    trans.__('Export the script of this cell'),
    trans.__('Writes the script to a file that runs anywhere'),
    inNotebook(panel => {
      const name = current(panel);
      return name && runLine(panel, `%export ${name} ${name}.py`);
    }),
    () => links.panel !== null && current(links.panel) !== null
  );
  add(
    CommandIDs.verify,
    trans.__('Verify the audit log'),
    trans.__('Follows the whole log and names the first bad record'),
    inNotebook(panel => runLine(panel, '%audit verify'))
  );
  add(
    CommandIDs.cancel,
    trans.__('Cancel the dialog'),
    trans.__('Ends what the dialog is doing; everything so far is kept'),
    () => links.link?.act('cancel', ''),
    () => links.link?.state?.running.some(entry => entry.name === '') ?? false
  );

  launcher?.add({ command: CommandIDs.create, category: trans.__('Notebook'), rank: 20 });
  links.changed.connect(() => {
    commands.notifyCommandChanged(CommandIDs.jump);
    commands.notifyCommandChanged(CommandIDs.cancel);
  });
}

/** A new notebook from the template, in a folder; its first cell is run, the example sentence is selected. */
async function create(app: JupyterFrontEnd, trans: TranslationBundle, folder: string): Promise<void> {
  const { contents, kernelspecs } = app.serviceManager;
  const listing = await contents.get(folder, { content: true });
  const taken = (listing.content as Contents.IModel[]).map(entry => entry.name);
  const name = freeName(taken, trans.__('Integration'));
  const path = folder ? `${folder}/${name}` : name;
  await kernelspecs.ready;
  const kernel = kernelspecs.specs?.default ?? '';
  await contents.save(path, { type: 'notebook', format: 'json', content: template(trans, kernel) });
  const opened = await app.commands.execute('docmanager:open', { path, factory: 'Notebook', kernel: { name: kernel } });
  if (!(opened instanceof NotebookPanel)) {
    return; // Notebook 7 opens a browser tab of its own
  }
  await opened.context.ready;
  await opened.sessionContext.ready;
  await opened.revealed;
  await runLine(opened, LOAD);
  await goTo(opened, WRITE_IN);
  const notebook = opened.content;
  notebook.mode = 'edit';
  const editor = notebook.activeCell?.editor;
  if (editor && notebook.activeCellIndex === WRITE_IN) {
    const last = editor.lineCount - 1;
    editor.setSelection({ start: { line: 1, column: 0 }, end: { line: last, column: editor.getLine(last)?.length ?? 0 } });
  }
}
