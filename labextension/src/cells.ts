/** What this extension does to a notebook: insert and replace cells of scripts, and never over an edit. */
import { DocumentRegistry } from '@jupyterlab/docregistry';
import { INotebookModel, INotebookTracker, Notebook, NotebookActions, NotebookPanel } from '@jupyterlab/notebook';
import { JSONObject } from '@lumino/coreutils';

import { goTo } from './acting';
import { IAck, IInsertCell, IReplaceCell, IShowCell, IStoreOutput, Request, scriptName } from './protocol';
import { sha256 } from './sha256';

export type Context = DocumentRegistry.IContext<INotebookModel>;

const REFUSED: IAck = { ok: false, why: 'refused' };
const MISSING: IAck = { ok: false, why: 'missing' };

export class Cells {
  constructor(
    private readonly context: Context,
    private readonly tracker: INotebookTracker
  ) {}

  /** Do what a request asks; the answer says why not where it could not be done. */
  handle(request: Request): IAck {
    switch (request.type) {
      case 'insert_cell':
        return this.insert(request);
      case 'replace_cell':
        return this.replace(request);
      case 'show_cell':
        return this.show(request);
      case 'store_output':
        return this.store(request);
      default:
        return REFUSED;
    }
  }

  private get model(): INotebookModel {
    return this.context.model;
  }

  private find(id: string | null): number {
    const cells = this.model.cells;
    for (let i = 0; i < cells.length; i++) {
      if (cells.get(i).id === id) {
        return i;
      }
    }
    return -1;
  }

  /** The cell with that id; after a kernel restart its id may be forgotten, then the last one we made of that name. */
  private findScript(id: string, name: string): number {
    const index = this.find(id);
    if (index >= 0) {
      return index;
    }
    for (let i = this.model.cells.length - 1; i >= 0; i--) {
      const mark = this.model.cells.get(i).getMetadata('integrator') as JSONObject | undefined;
      if (mark?.name === name) {
        return i;
      }
    }
    return -1;
  }

  private insert(request: IInsertCell): IAck {
    const name = scriptName(request.source);
    if (name === null) {
      return REFUSED;
    }
    const there = this.find(request.new_id);
    if (there >= 0) {
      return { ok: true, cell_id: request.new_id, index: there, existed: true };
    }
    if (this.model.readOnly) {
      return { ok: false, why: 'read-only' };
    }
    const above = this.find(request.below);
    const index = above < 0 ? this.model.cells.length : above + 1;
    this.model.sharedModel.insertCell(index, {
      cell_type: 'code',
      id: request.new_id,
      source: request.source,
      metadata: { tags: request.tags.map(String), integrator: this.mark(request, name) }
    });
    this.reveal(index, request.scroll, request.run);
    return { ok: true, cell_id: request.new_id, index, existed: false };
  }

  private replace(request: IReplaceCell): IAck {
    const name = scriptName(request.source);
    if (name === null) {
      return REFUSED;
    }
    const index = this.findScript(request.cell_id, name);
    if (index < 0) {
      return MISSING;
    }
    const cell = this.model.cells.get(index);
    const present = cell.sharedModel.getSource();
    if (present === request.source) {
      return { ok: true, cell_id: cell.id, index, existed: true };
    }
    if (scriptName(present) !== name || sha256(present) !== request.expected_sha) {
      return { ok: false, why: 'edited', cell_id: cell.id, index };
    }
    if (this.model.readOnly || cell.getMetadata('editable') === false) {
      return { ok: false, why: 'read-only', cell_id: cell.id, index };
    }
    cell.sharedModel.setSource(request.source);
    cell.setMetadata('integrator', this.mark(request, name));
    this.reveal(index, request.scroll, false);
    return { ok: true, cell_id: cell.id, index, existed: false };
  }

  private show(request: IShowCell): IAck {
    const index = this.find(request.cell_id);
    if (index < 0) {
      return MISSING;
    }
    const panel = this.panel;
    if (panel) {
      void goTo(panel, index);
    }
    return { ok: true, cell_id: request.cell_id, index };
  }

  private store(request: IStoreOutput): IAck {
    const index = this.find(request.cell_id);
    const cell = index < 0 ? null : this.model.cells.get(index);
    const outputs = cell && 'outputs' in cell ? (cell as any).outputs : null;
    for (let i = 0; i < (outputs?.length ?? 0); i++) {
      const output = outputs.get(i);
      const mark = output.metadata?.integrator as JSONObject | undefined;
      if (mark?.identity === request.identity) {
        output.setData({ data: request.data, metadata: output.metadata });
        return { ok: true, cell_id: request.cell_id, index };
      }
    }
    return MISSING;
  }

  /** What a cell remembers of where it came from. */
  private mark(request: IInsertCell | IReplaceCell, name: string): JSONObject {
    const version = request.metadata?.version;
    return { name, sha256: sha256(request.source), ...(typeof version === 'number' ? { version } : {}) };
  }

  private get panel(): NotebookPanel | undefined {
    return this.tracker.find(panel => panel.context === this.context);
  }

  private reveal(index: number, scroll: boolean, run: boolean): void {
    const panel = this.panel;
    const notebook: Notebook | undefined = panel?.content;
    const cell = notebook?.widgets[index];
    if (!panel || !notebook || !cell) {
      return;
    }
    if (scroll) {
      // The view is told of a new cell first, and only then can it scroll there.
      requestAnimationFrame(() => void notebook.scrollToItem(index, 'smart'));
    }
    if (run) {
      void NotebookActions.runCells(notebook, [cell], panel.sessionContext);
    }
  }
}
