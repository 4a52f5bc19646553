import assert from 'node:assert/strict';
import { test } from 'node:test';

import { IState, IWaiting } from '../src/protocol';
import { badgeOf, cellOf, freeName, nextWaiting, scriptBody } from '../src/reading';
import { sha256 } from '../src/sha256';

const APPROVED = '%%integration lead_sync\nprint(1)';

function state(over: Partial<IState> = {}): IState {
  const script = {
    name: 'lead_sync',
    version: 2,
    state: 'approved' as const,
    approved: true,
    by: '',
    last_run: '',
    versions: { [sha256('print(1)\n')]: 'approved' as const, [sha256('print(2)\n')]: 'waiting' as const },
    cell: ''
  };
  return {
    waiting: [],
    running: [],
    systems: [],
    scripts: [script],
    audit: { records: 0, whole: true, words: '', newest: [] },
    cost: { mode: '', sandbox: '', used: '', share: null, ceiling: '' },
    ...over
  };
}

test('a body is hashed as the kernel gets it', () => {
  assert.equal(scriptBody(APPROVED), 'print(1)\n');
  assert.equal(scriptBody('%%integration a\nx\n'), 'x\n');
  assert.equal(scriptBody('%%integration a'), '\n');
});

test('a badge says how exactly these bytes stand', () => {
  assert.equal(badgeOf(APPROVED, state())?.badge, 'approved');
  assert.equal(badgeOf('%%integration lead_sync\nprint(2)', state())?.badge, 'waiting');
  assert.equal(badgeOf('%%integration lead_sync\nprint(3)', state())?.badge, 'changed');
  assert.equal(badgeOf('%%integration other\nprint(1)', state())?.badge, 'new');
  const runs = { name: 'lead_sync', detail: '', done: null, total: null, cell: '' };
  assert.equal(badgeOf(APPROVED, state({ running: [runs] }))?.badge, 'running');
});

test('without a kernel nothing is claimed, and other cells have no badge', () => {
  assert.equal(badgeOf(APPROVED, null)?.badge, 'unknown');
  assert.equal(badgeOf('print(1)', state()), null);
  assert.equal(badgeOf('%%integrate\nx', state()), null);
});

test('a cell is found by its id, then by its script, then as the last dialog', () => {
  const cells = [
    { id: 'a', source: '%%integrate\nfirst' },
    { id: 'b', source: APPROVED },
    { id: 'c', source: '%%integrate --new\nsecond' },
    { id: 'd', source: '%%integrated' }
  ];
  assert.equal(cellOf({ cell: 'a', name: 'lead_sync' }, cells), 0);
  assert.equal(cellOf({ cell: 'gone', name: 'lead_sync' }, cells), 1);
  assert.equal(cellOf({ cell: '', name: '' }, cells), 2);
  assert.equal(cellOf({ cell: '', name: 'other' }, cells), -1);
});

test('jumping goes round', () => {
  const item = (name: string): IWaiting => ({ kind: 'approval', title: '', detail: '', cell: '', name });
  const items = [item('1'), item('4'), item('7')];
  const indexOf = (entry: IWaiting) => Number(entry.name);
  assert.equal(nextWaiting(items, 0, indexOf)?.name, '1');
  assert.equal(nextWaiting(items, 1, indexOf)?.name, '4');
  assert.equal(nextWaiting(items, 7, indexOf)?.name, '1');
  assert.equal(nextWaiting([], 0, indexOf), null);
});

test('a new notebook takes no name twice', () => {
  assert.equal(freeName([], 'Integration'), 'Integration.ipynb');
  assert.equal(freeName(['Integration.ipynb', 'Integration 2.ipynb'], 'Integration'), 'Integration 3.ipynb');
});
