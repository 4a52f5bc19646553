/** A line above each script cell: that it runs in the sandbox, and how its script stands. */
import { Cell } from '@jupyterlab/cells';
import { NotebookPanel } from '@jupyterlab/notebook';
import { TranslationBundle } from '@jupyterlab/translation';
import { IDisposable } from '@lumino/disposable';
import { PanelLayout, Widget } from '@lumino/widgets';

import { Link } from './link';
import { Badge, badgeOf } from './reading';

const ICONS: { [badge in Badge]: string } = {
  approved: '✓',
  waiting: '?',
  changed: '✎',
  new: '○',
  running: '…',
  unknown: ''
};

export class Badges implements IDisposable {
  constructor(
    private readonly panel: NotebookPanel,
    private readonly link: Link,
    private readonly trans: TranslationBundle
  ) {
    panel.content.modelContentChanged.connect(this.later, this);
    link.changed.connect(this.later, this);
    panel.disposed.connect(() => this.dispose());
    this.later();
  }

  get isDisposed(): boolean {
    return this.disposed;
  }

  dispose(): void {
    this.disposed = true;
    if (!this.panel.isDisposed) {
      this.panel.content.modelContentChanged.disconnect(this.later, this);
    }
    this.link.changed.disconnect(this.later, this);
  }

  /** Once for all changes of one frame. */
  private later(): void {
    if (!this.planned) {
      this.planned = true;
      requestAnimationFrame(() => {
        this.planned = false;
        if (!this.disposed && !this.panel.isDisposed) {
          this.panel.content.widgets.forEach(cell => this.refresh(cell));
        }
      });
    }
  }

  private refresh(cell: Cell): void {
    const found = cell.model.type === 'code' ? badgeOf(cell.model.sharedModel.getSource(), this.link.state) : null;
    const line = this.lines.get(cell);
    if (!found) {
      line?.dispose();
      this.lines.delete(cell);
      return;
    }
    if (line) {
      line.show_(found.badge, this.words(found.badge), found.script?.by ?? '');
      return;
    }
    const made = new Line(this.trans.__('runs in the sandbox'));
    made.show_(found.badge, this.words(found.badge), found.script?.by ?? '');
    this.lines.set(cell, made);
    void cell.ready.then(() => {
      if (!made.isDisposed && cell.layout instanceof PanelLayout) {
        cell.layout.insertWidget(0, made);
      }
    });
  }

  private words(badge: Badge): string {
    switch (badge) {
      case 'approved':
        return this.trans.__('approved');
      case 'waiting':
        return this.trans.__('waiting for you');
      case 'changed':
        return this.trans.__('changed since approval');
      case 'new':
        return this.trans.__('not approved yet');
      case 'running':
        return this.trans.__('running');
      case 'unknown':
        return '';
    }
  }

  private readonly lines = new WeakMap<Cell, Line>();
  private planned = false;
  private disposed = false;
}

class Line extends Widget {
  constructor(place: string) {
    super();
    this.addClass('ig-badge');
    this.place.textContent = place;
    this.icon.setAttribute('aria-hidden', 'true');
    const state = document.createElement('span');
    state.className = 'ig-badge-state';
    state.append(this.icon, this.word);
    this.node.append(this.place, state);
  }

  show_(badge: Badge, word: string, hint: string): void {
    this.node.dataset.badge = badge;
    this.icon.textContent = ICONS[badge];
    this.word.textContent = word;
    this.node.title = hint;
  }

  private readonly place = document.createElement('span');
  private readonly icon = document.createElement('span');
  private readonly word = document.createElement('span');
}
