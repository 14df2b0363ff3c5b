"""Images of the sky as SVG data URLs, so that a widget needs no other requests."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import quote

from use_cases.weather.conditions import Sky

# Colours that stand out on a white surface and on a black one.
_SUN, _MOON, _CLOUD, _DROP, _FLAKE = "#f59e0b", "#8b93e0", "#94a3b8", "#3b82f6", "#60a5fa"

_RAYS = "M24 4v5M24 39v5M4 24h5M39 24h5M9.9 9.9l3.5 3.5M34.6 34.6l3.5 3.5M9.9 38.1l3.5-3.5M34.6 13.4l3.5-3.5"
_FULL_SUN = (
    f'<circle cx="24" cy="24" r="9" fill="{_SUN}"/>'
    f'<path d="{_RAYS}" stroke="{_SUN}" stroke-width="3" stroke-linecap="round"/>'
)
_FULL_MOON = f'<path d="M30 7a17 17 0 1 0 11 25A15 15 0 0 1 30 7z" fill="{_MOON}"/>'
_SMALL_SUN = (
    f'<circle cx="31" cy="16" r="7" fill="{_SUN}"/>'
    f'<path d="M31 3v3M44 16h-3M40.2 6.8l-2.1 2.1M21.8 6.8l2.1 2.1" stroke="{_SUN}" stroke-width="2.5" '
    'stroke-linecap="round"/>'
)
_SMALL_MOON = f'<path d="M33 5a10 10 0 1 0 9 15 9 9 0 0 1-9-15z" fill="{_MOON}"/>'


def _cloud(down: int) -> str:
    path = "a8 8 0 0 0 1.2-15.9A11.5 11.5 0 0 0 12.8 15 8 8 0 0 0 13 31z"
    return f'<path transform="translate(0 {down})" d="M13 31h21{path}" fill="{_CLOUD}"/>'


def _drops(color: str, *starts: tuple[int, int], length: int = 6) -> str:
    lines = "".join(f"M{x} {y}l-2 {length}" for x, y in starts)
    return f'<path d="{lines}" stroke="{color}" stroke-width="3" stroke-linecap="round"/>'


def _flakes(*centres: tuple[int, int]) -> str:
    return "".join(f'<circle cx="{x}" cy="{y}" r="2.2" fill="{_FLAKE}"/>' for x, y in centres)


_DRAWINGS: dict[tuple[Sky, bool], str] = {
    ("clear", True): _FULL_SUN,
    ("clear", False): _FULL_MOON,
    ("partly-cloudy", True): _SMALL_SUN + _cloud(8),
    ("partly-cloudy", False): _SMALL_MOON + _cloud(8),
}
_DRAWINGS_DAY_AND_NIGHT: dict[Sky, str] = {
    "cloudy": _cloud(5),
    "fog": _cloud(-2) + f'<path d="M9 36h30M13 42h22" stroke="{_CLOUD}" stroke-width="3" stroke-linecap="round"/>',
    "drizzle": _cloud(0) + _drops(_DROP, (18, 37), (31, 37), length=4),
    "rain": _cloud(0) + _drops(_DROP, (16, 36), (25, 36), (34, 36)),
    "sleet": _cloud(0) + _drops(_DROP, (16, 36), (34, 36)) + _flakes((24, 40)),
    "snow": _cloud(0) + _flakes((15, 37), (24, 42), (33, 37)),
    "thunder": _cloud(0) + f'<path d="M25 27l-7 10h6l-3 9 10-13h-6l4-6z" fill="{_SUN}"/>',
}


@lru_cache(maxsize=64)
def sky_image(sky: Sky, *, is_day: bool = True) -> str:
    """Return the picture of a sky as a ``data:image/svg+xml`` URL of about half a kilobyte."""
    drawing = _DRAWINGS.get((sky, is_day)) or _DRAWINGS_DAY_AND_NIGHT[sky]
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48" fill="none">{drawing}</svg>'
    return f"data:image/svg+xml,{quote(svg, safe='/:=')}"
