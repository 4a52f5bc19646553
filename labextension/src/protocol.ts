/**
 * What the kernel (integrator_magics/ui/bridge.py) and this extension say to each other over one comm.
 *
 * The kernel sends requests, each until it is acknowledged; this side says hello on every (re)connection and
 * acknowledges. The kernel also pushes where the notebook stands (`state`), to every tab, and this side may ask to stop
 * a run or to cancel the dialog (`act`). A request names the tab that is to act (`client`); other tabs ignore it. Cell ids are chosen by the
 * kernel, so that a request that arrives twice does nothing the second time.
 */
import { JSONObject } from '@lumino/coreutils';

export const TARGET = 'integrator_magics';
export const PROTOCOL = 1;

export interface IInsertCell {
  type: 'insert_cell';
  request_id: string;
  client: string;
  new_id: string;
  below: string | null;
  source: string;
  tags: string[];
  metadata: JSONObject;
  run: boolean;
  scroll: boolean;
}

export interface IReplaceCell {
  type: 'replace_cell';
  request_id: string;
  client: string;
  cell_id: string;
  expected_sha: string;
  source: string;
  metadata: JSONObject;
  scroll: boolean;
}

export interface IShowCell {
  type: 'show_cell';
  request_id: string;
  client: string;
  cell_id: string;
}

/** Bring the static transcript in the notebook up to date; only an output that is marked as ours is touched. */
export interface IStoreOutput {
  type: 'store_output';
  request_id: string;
  client: string;
  cell_id: string;
  identity: string;
  data: { 'text/html': string; 'text/plain': string };
}

export type Request = IInsertCell | IReplaceCell | IShowCell | IStoreOutput;

export interface IAck {
  ok: boolean;
  cell_id?: string;
  index?: number;
  existed?: boolean;
  /** refused, missing, edited, read-only or failed */
  why?: string;
}

/** Where a notebook stands, as integrator_magics/ui/panel_state.py computes it. Texts are sentences for people. */
export interface IState {
  waiting: IWaiting[];
  running: IRunning[];
  systems: ISystem[];
  scripts: IScript[];
  audit: { records: number; whole: boolean; words: string; newest: IRecord[] };
  cost: { mode: string; sandbox: string; used: string; share: number | null; ceiling: string };
}

export interface IWaiting {
  kind: 'question' | 'approval' | 'failure';
  title: string;
  detail: string;
  /** Id of the cell that shows it; '' where no cell of this kernel does. */
  cell: string;
  name: string;
}

export interface IRunning {
  /** Of the script; '' is the dialog. */
  name: string;
  detail: string;
  done: number | null;
  total: number | null;
  cell: string;
}

export interface ISystem {
  name: string;
  label: string;
  state: 'practice' | 'ready' | 'missing';
  needs: string;
}

export interface IScript {
  name: string;
  version: number;
  state: Version;
  approved: boolean;
  by: string;
  last_run: string;
  versions: { [sha256: string]: Version };
  cell: string;
}

export type Version = 'approved' | 'waiting' | 'new';

export interface IRecord {
  n: number;
  at: string;
  what: string;
  person: string;
}

/** All that the panel may ask of the kernel. Deciding is not among it. */
export type Act = 'stop' | 'cancel';

const HEAD = /^%%integration ([a-z][a-z0-9_]{0,40})(?=\n|$)/;

/** NAME of a source that starts with the line `%%integration NAME`; null for anything else. */
export function scriptName(source: string): string | null {
  return HEAD.exec(source)?.[1] ?? null;
}
