"""Statistics in; their histogram as an SVG picture out."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from ftctl.data.stats.distribution import Bin
from ftctl.data.stats.summary import Statistics

_WIDTH, _LEFT, _TOP = 720, 140, 64  # pixels
_STEP, _BAR = 26, 20  # from bar to bar, and a bar's height
_ROOM = _WIDTH - _LEFT - 90  # for the longest bar; its number stands behind it
_LONGEST_NAME = 60  # characters that fit above the picture; a path's end tells more

# Both grounds: a picture in a README is seen on white and on near-black.
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#24292f}.bar{fill:#0969da}"
    ".title{font-weight:600;font-size:15px}.quiet{fill:#57606a}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.bar{fill:#58a6ff}.quiet{fill:#8d96a0}}"
)


def histogram_svg(found: Statistics) -> str:
    """The rows by their tokens, readable on a light and on a dark ground."""
    bins = found.tokens.bins
    height = _TOP + _STEP * max(1, len(bins)) + 16
    path = found.path
    name = path if len(path) <= _LONGEST_NAME else f"…{path[1 - _LONGEST_NAME :]}"
    title = f"Tokens per row in {name}"
    lengths = found.tokens.lengths
    caption = (
        f"{found.rows:,} rows, {lengths.total:,} tokens ({found.base.encoding});"
        f" p50 {lengths.p50:,}, p95 {lengths.p95:,}, longest {lengths.longest:,}"
    )
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}"',
        f'    width="{_WIDTH}" height="{height}" role="img" aria-labelledby="title told">',
        f'<title id="title">{_text(title)}</title>',
        f'<desc id="told">{_text(caption)}</desc>',
        f"<style>{_STYLE}</style>",
        f'<text class="title" x="16" y="26">{_text(title)}</text>',
        f'<text class="quiet" x="16" y="46">{_text(caption)}</text>',
        *_bars(bins),
        "</svg>",
    ]
    return "\n".join(lines)


def _bars(bins: tuple[Bin, ...]) -> Iterator[str]:
    most = max((one.rows for one in bins), default=1)
    for at, one in enumerate(bins):
        top = _TOP + at * _STEP
        width = round(_ROOM * one.rows / most, 1)
        foot = top + 15
        yield f'<text x="{_LEFT - 10}" y="{foot}" text-anchor="end">{_text(one.label)}</text>'
        yield f'<rect class="bar" x="{_LEFT}" y="{top}" width="{width}" height="{_BAR}" rx="2"/>'
        yield f'<text class="quiet" x="{_LEFT + width + 8:.1f}" y="{foot}">{one.rows:,}</text>'


def _text(text: str) -> str:
    """As XML takes it: what it cannot carry at all becomes a question mark."""
    return escape("".join(one if one.isprintable() else "?" for one in text))
