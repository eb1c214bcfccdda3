"""The look of the hand-over page: system fonts, one accent, light and dark after the reader's own setting."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark; --ground: #f7f6f3; --surface: #fff; --ink: #1b1a18; --muted: #5d5a54;
  --line: #e2dfd8; --accent: #0a5f52; --draft: #fff0c9; --on-draft: #6b4300; }
@media (prefers-color-scheme: dark) { :root { --ground: #131312; --surface: #1b1b1a; --ink: #f1efea;
  --muted: #aaa69d; --line: #33322f; --accent: #6fdcc4; --draft: #3a2e12; --on-draft: #f0c264; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, -apple-system,
  "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", sans-serif; -webkit-font-smoothing: antialiased; }
main { max-width: 1120px; margin: 0 auto; padding: 24px 32px 56px; }
header { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 12px; margin-bottom: 16px;
  font-size: 14px; color: var(--muted); }
h1 { margin: 0; font-size: 16px; font-weight: 650; color: var(--ink); }
h2 { margin: 0 0 12px; font-size: 14px; font-weight: 650; }
.chip { padding: 3px 10px; border-radius: 8px; background: var(--draft); color: var(--on-draft);
  font-size: 13px; font-weight: 700; letter-spacing: .04em; }
.stage { margin: 0; border-radius: 16px; overflow: hidden; background: #000; }
.stage video { display: block; width: 100%; height: auto; max-height: min(74vh, 720px); object-fit:
  contain; }
video:focus-visible { outline: 3px solid var(--accent); outline-offset: -3px; }
.note { margin: 16px 0 0; padding: 12px 16px; border-radius: 12px; background: var(--draft); color:
  var(--on-draft); font-size: 14px; }
.more { display: grid; grid-template-columns: minmax(0, 1fr) 288px; gap: 40px; margin-top: 32px; }
.prompt { margin: 0 0 32px; font-size: 20px; line-height: 1.5; white-space: pre-wrap; overflow-wrap:
  anywhere; }
.prompt.long { font-size: 16px; }
.references { display: flex; flex-wrap: wrap; gap: 16px; margin: 0; padding: 0; list-style: none; }
figure { margin: 0; }
.references img, .references .missing { display: block; height: 184px; max-width: 100%; object-fit: contain;
  border-radius: 12px; border: 1px solid var(--line); background: var(--surface); }
.references .missing { display: grid; place-items: center; width: 138px; padding: 8px; color: var(--muted);
  font-size: 13px; text-align: center; }
figcaption { margin-top: 6px; font-size: 13px; color: var(--muted); }
figcaption b { color: var(--ink); font-weight: 600; }
dl { display: grid; grid-template-columns: auto 1fr; gap: 10px 24px; margin: 0; padding: 16px 20px;
  font-size: 14px; border: 1px solid var(--line); border-radius: 16px; background: var(--surface); }
dt { color: var(--muted); }
dd { margin: 0; text-align: end; font-variant-numeric: tabular-nums; }
footer { margin-top: 40px; padding-top: 16px; border-top: 1px solid var(--line); font-size: 13px; color:
  var(--muted); }
@media (max-width: 760px) { main { padding: 16px 16px 40px; } .more { grid-template-columns: minmax(0,
  1fr); gap: 32px; margin-top: 24px; } .prompt { margin-bottom: 24px; font-size: 18px; } .stage {
  border-radius: 12px; } .references { gap: 12px; }
  .references img, .references .missing { height: 136px; } .references .missing { width: 102px; } }
@media print { body { background: #fff; color: #000; } .stage video { max-height: 40vh; } }
"""
