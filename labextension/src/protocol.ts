/**
 * What the kernel (integrator_magics/ui/bridge.py) and this extension say to each other over one comm.
 *
 * The kernel sends requests, each until it is acknowledged; this side says hello on every (re)connection and
 * acknowledges. A request names the tab that is to act (`client`); other tabs ignore it. Cell ids are chosen by the
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

const HEAD = /^%%integration ([a-z][a-z0-9_]{0,40})(?=\n|$)/;

/** NAME of a source that starts with the line `%%integration NAME`; null for anything else. */
export function scriptName(source: string): string | null {
  return HEAD.exec(source)?.[1] ?? null;
}
