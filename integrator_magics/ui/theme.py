"""The look: JupyterLab's theme variables, type and spacing, with plain fallbacks where there is no JupyterLab."""

from __future__ import annotations

import re

__all__ = ["style"]

_CSS = """
.ig-dialog, .ig-dialog p, .ig-dialog li, .ig-dialog td, .ig-dialog th, .ig-live .ig-body {
  font-family: var(--jp-ui-font-family, system-ui, sans-serif); font-size: var(--jp-ui-font-size1, 13px);
  color: var(--jp-ui-font-color1, inherit); line-height: 1.45; }
.ig-dialog { max-width: 860px; }
.ig-dialog p, .ig-live p { margin: 2px 0; }
.ig-dialog ol, .ig-dialog ul, .ig-live ol, .ig-live ul { margin: 2px 0; padding-left: 22px; }
.ig-head { color: var(--jp-ui-font-color2, inherit); padding: 2px 0 6px 9px; }
.ig-said, .ig-usage, .ig-progress, .ig-status { padding-left: 9px; }
.ig-card { display: flex; gap: 8px; padding: 2px 0 2px 6px; align-items: flex-start;
  border-left: 3px solid transparent; }
.ig-icon { flex: none; width: 16px; text-align: center; font-weight: 600; color: var(--jp-ui-font-color2, inherit); }
.ig-body { flex: 1; min-width: 0; overflow-wrap: anywhere; }
.ig-word { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.ig-line { display: inline-flex; flex-wrap: wrap; column-gap: 12px; width: calc(100% - 24px); vertical-align: top; }
.ig-title { font-weight: 600; }
.ig-line .ig-title { flex: none; min-width: 120px; }
.ig-dialog .ig-detail, .ig-live .ig-detail, .ig-time, .ig-usage { color: var(--jp-ui-font-color2, inherit); }
.ig-line .ig-detail { flex: 1 1 200px; }
.ig-dialog .ig-own, .ig-live .ig-own { color: var(--jp-ui-font-color1, inherit); }
.ig-time { font-variant-numeric: tabular-nums; }
.ig-asked, .ig-preview, .ig-ran, .ig-card.ig-failed { margin: 4px 0; }
.ig-asked, .ig-preview { border-left-color: var(--jp-brand-color1, currentColor); }
.ig-ran { border-left-color: var(--jp-success-color1, currentColor); }
.ig-card.ig-failed { border-left-color: var(--jp-error-color1, currentColor); }
.ig-dialog summary, .ig-live summary { cursor: pointer; }
.ig-more > summary { list-style: none; position: relative; }
.ig-more > summary::-webkit-details-marker { display: none; }
.ig-more > summary::after { content: "▸"; position: absolute; right: 4px; top: 0;
  color: var(--jp-ui-font-color2, inherit); }
.ig-more[open] > summary::after { content: "▾"; }
.ig-scroll { overflow-x: auto; max-width: 100%; }
.ig-dialog table.ig-table, .ig-live table.ig-table { border-collapse: collapse; margin: 4px 0; border: none;
  table-layout: auto; font-size: var(--jp-ui-font-size1, 13px); }
.ig-table caption { text-align: left; color: var(--jp-ui-font-color2, inherit); padding: 2px 0; }
.ig-dialog .ig-table th, .ig-dialog .ig-table td, .ig-live .ig-table th, .ig-live .ig-table td {
  text-align: left; padding: 2px 10px; border-bottom: 1px solid var(--jp-border-color2, currentColor);
  vertical-align: top; max-width: 320px; min-width: 4ch; overflow-wrap: break-word; word-break: normal;
  white-space: normal; background: none;
  color: var(--jp-ui-font-color1, inherit); }
.ig-dialog .ig-table td.ig-number, .ig-live .ig-table td.ig-number, .ig-counts thead th:not(:first-child) {
  text-align: right !important; font-variant-numeric: tabular-nums; white-space: nowrap !important; }
.ig-dialog .ig-table td.ig-short, .ig-live .ig-table td.ig-short { white-space: nowrap; }
pre.ig-code, .ig-dialog pre.ig-code { font-family: var(--jp-code-font-family, monospace);
  font-size: var(--jp-code-font-size, 13px); color: var(--jp-content-font-color1, inherit); line-height: 1.4;
  background: var(--jp-layout-color2, transparent); border: 1px solid var(--jp-border-color2, currentColor);
  padding: 6px 8px; margin: 4px 0; max-height: 360px; overflow: auto; white-space: pre; }
.ig-added { color: var(--jp-success-color1, inherit); font-weight: 600; }
.ig-removed { color: var(--jp-error-color1, inherit); }
.ig-diff-head { color: var(--jp-ui-font-color2, inherit); }
.ig-answer { margin: 4px 0; }
.ig-dialog .ig-answer p, .ig-live .ig-answer p { font-weight: 600; }
.ig-bars { display: block; width: 100%; max-width: 640px; height: auto; margin: 6px 0; }
.ig-bars text { font-family: var(--jp-ui-font-family, system-ui, sans-serif); font-size: 12px;
  fill: var(--jp-ui-font-color1, currentColor); }
.ig-bars rect { fill: var(--jp-brand-color1, currentColor); }
.ig-question { font-weight: 600; padding-top: 6px; }

.ig-progress .ig-detail { white-space: pre-wrap; }
.ig-progress progress { vertical-align: middle; width: 220px; max-width: 40%;
  accent-color: var(--jp-brand-color1, currentColor); }
.ig-live { max-width: 880px; }
.ig-live .widget-html, .ig-live .widget-html-content { line-height: 1.45; height: auto; min-height: 0; margin: 0;
  white-space: normal; }
.ig-live .ig-row { gap: 6px 10px; }
.ig-live .ig-button { white-space: normal; line-height: 1.4; padding: 3px 12px; text-align: left; max-width: 100%; }
.ig-live .ig-fold { background: none; border: none; box-shadow: none; padding: 0 2px; min-height: 0; margin: 0;
  color: var(--jp-ui-font-color2, inherit); }
.ig-live .widget-html { min-width: 0; max-width: 100%; }
.ig-live .widget-html-content { flex: 1 1 auto; min-width: 0; max-width: 100%; }
.ig-live .ig-button { flex: none; }
.ig-live .ig-step-row > :first-child { flex: 1 1 auto; }
.ig-live .ig-step-row > .ig-fold { flex: 0 0 92px; text-align: right; white-space: nowrap; overflow: visible; }
.ig-live .ig-step-row:not(:has(.ig-fold)) { padding-right: 92px; }
.ig-live .ig-step-row .ig-line { width: 100%; }
.ig-live .ig-fold:hover { background: none; text-decoration: underline; }
.ig-sheet { overflow: auto; }
.ig-form .ig-hint { display: block; margin-left: 18.5em; }
.ig-mapping { overflow: auto; margin-left: 33px; }
.ig-mapping-field { flex: 0 0 300px; }
.ig-live a.ig-csv { text-decoration: underline; padding-left: 12px; }
.ig-under { margin-left: 33px; }
.ig-problem { margin: 4px 0 4px 33px; padding-left: 8px; border-left: 3px solid var(--jp-error-color1, currentColor);
  color: var(--jp-ui-font-color1, inherit); }
.ig-status { color: var(--jp-ui-font-color2, inherit); min-height: 1.45em; }
"""

# While the live dialog is in the page the saved one steps aside; when the kernel is gone it takes over.
_ASIDE = """
body:has(.ig-live-ID:not(.jupyter-widgets-disconnected)) .ig-saved-ID { display: none; }
.ig-live-ID.jupyter-widgets-disconnected { display: none; }
.jp-OutputArea:has(.ig-saved-ID) > .jp-OutputArea-child:has([data-mime-type*="widget-view"]):not(:has(.widget-box)) {
  display: none; }
"""


def style(identity: str = "") -> str:
    """The style element; with an identity also the rule by which live and saved dialog take turns."""
    aside = _ASIDE.replace("ID", identity) if re.fullmatch(r"[a-z0-9-]+", identity) else ""
    return f"<style>{_CSS}{aside}</style>"
