"""Gradio's theme, reduced to what its few visible parts need; the look itself is in assets/style.css."""

from __future__ import annotations

import gradio as gr

SANS = [
    "system-ui",
    "-apple-system",
    "Segoe UI",
    "Roboto",
    "Helvetica Neue",
    "Noto Sans",
    "PingFang SC",
    "Microsoft YaHei",
    "Noto Sans CJK SC",
    "sans-serif",
]
MONO = ["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace"]


def create_theme() -> gr.themes.Base:
    """System fonts only; colours that follow the page's own tokens."""
    return gr.themes.Base(font=SANS, font_mono=MONO).set(
        body_background_fill="var(--k-ground)",
        body_background_fill_dark="var(--k-ground)",
        body_text_color="var(--k-ink)",
        body_text_color_dark="var(--k-ink)",
        background_fill_primary="var(--k-surface)",
        background_fill_primary_dark="var(--k-surface)",
        block_background_fill="transparent",
        block_background_fill_dark="transparent",
        block_border_width="0px",
        block_border_width_dark="0px",
        block_shadow="none",
        block_shadow_dark="none",
        block_padding="0",
        layout_gap="16px",
    )
