/** What follows from the state and the notebook's text, without a page: badges, what waits, names. */
import { IScript, IState, IWaiting, scriptName } from './protocol';
import { sha256 } from './sha256';

export type Badge = 'approved' | 'waiting' | 'changed' | 'new' | 'running' | 'unknown';

/** The body of a script cell as the kernel gets it: without the magic line, with a newline at its end. */
export function scriptBody(source: string): string {
  const body = source.slice(source.indexOf('\n') + 1 || source.length);
  return body.endsWith('\n') ? body : `${body}\n`;
}

/** How the script in a cell stands; null for any other cell. Without a kernel nothing is claimed. */
export function badgeOf(source: string, state: IState | null): { name: string; badge: Badge; script?: IScript } | null {
  const name = scriptName(source);
  if (name === null) {
    return null;
  }
  if (!state) {
    return { name, badge: 'unknown' };
  }
  const script = state.scripts.find(entry => entry.name === name);
  if (state.running.some(entry => entry.name === name)) {
    return { name, badge: 'running', script };
  }
  const known = script?.versions[sha256(scriptBody(source))];
  if (known === 'approved' || known === 'waiting') {
    return { name, badge: known, script };
  }
  return { name, badge: script?.approved ? 'changed' : 'new', script };
}

/** Index of the cell that shows an item: by its id, else the cell of its script, else the last dialog; -1 for none. */
export function cellOf(item: { cell: string; name: string }, cells: { id: string; source: string }[]): number {
  const exact = cells.findIndex(cell => item.cell !== '' && cell.id === item.cell);
  if (exact >= 0) {
    return exact;
  }
  const fits = item.name
    ? (source: string) => scriptName(source) === item.name || source.trim() === `%integration ${item.name}`
    : (source: string) => /^%%integrate(?=[ \n]|$)/.test(source);
  for (let i = cells.length - 1; i >= 0; i--) {
    if (fits(cells[i].source)) {
      return i;
    }
  }
  return -1;
}

/** What to jump to: the item after the one the current cell shows, so that pressing again goes round. */
export function nextWaiting(waiting: IWaiting[], current: number, indexOf: (item: IWaiting) => number): IWaiting | null {
  const at = waiting.findIndex(item => indexOf(item) === current);
  return waiting[(at + 1) % (waiting.length || 1)] ?? null;
}

/** "Integration.ipynb", or the first of "Integration 2.ipynb", ... that is not taken. */
export function freeName(taken: Iterable<string>, stem: string): string {
  const names = new Set(taken);
  for (let n = 1; ; n++) {
    const name = n === 1 ? `${stem}.ipynb` : `${stem} ${n}.ipynb`;
    if (!names.has(name)) {
      return name;
    }
  }
}
