/** What the panel and the palette do in a notebook: run a magic in a cell of its own, go to a cell. */
import { CodeCell } from '@jupyterlab/cells';
import { NotebookActions, NotebookPanel } from '@jupyterlab/notebook';

import { cellOf } from './reading';

export const LOAD = '%load_ext integrator_magics';

export function cellsOf(panel: NotebookPanel): { id: string; source: string }[] {
  return Array.from(panel.content.model?.cells ?? [], cell => ({ id: cell.id, source: cell.sharedModel.getSource() }));
}

/** Run a magic where everybody can see it: in the cell that holds it already, or a new one below the current cell. */
export async function runLine(panel: NotebookPanel, line: string, top = false): Promise<void> {
  const notebook = panel.content;
  const model = notebook.model;
  if (!model) {
    return;
  }
  let index = cellsOf(panel).findIndex(cell => cell.source.trim() === line);
  if (index < 0) {
    if (model.readOnly) {
      return;
    }
    index = top ? 0 : notebook.activeCellIndex + 1;
    model.sharedModel.insertCell(index, { cell_type: 'code', source: line, metadata: {} });
  }
  await goTo(panel, index);
  const cell = notebook.widgets[index];
  await NotebookActions.runCells(notebook, [cell], panel.sessionContext);
}

/** Make a cell the current one and bring it, or the end of its output, into view. Nothing in it gets the focus. */
export async function goTo(panel: NotebookPanel, index: number, output = false): Promise<void> {
  const notebook = panel.content;
  notebook.deselectAll();
  notebook.activeCellIndex = index;
  notebook.mode = 'command';
  panel.activate();
  // The view is told of a new cell first, and only then can it scroll there.
  await new Promise(requestAnimationFrame);
  await notebook.scrollToItem(index, 'smart');
  const cell = notebook.widgets[index];
  if (output && cell instanceof CodeCell) {
    await cell.ready;
    cell.outputArea.node.scrollIntoView({ block: 'nearest' });
  }
}

/** Go to the cell that shows an item of the panel; says whether there is one. */
export function show(panel: NotebookPanel, item: { cell: string; name: string }): boolean {
  const index = cellOf(item, cellsOf(panel));
  if (index >= 0) {
    void goTo(panel, index, true);
  }
  return index >= 0;
}
