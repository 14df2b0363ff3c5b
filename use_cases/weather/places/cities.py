"""Cities: their data, the parsing of queries for one, and the choice among several of the same name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, ClassVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, ConfigDict, Field

from use_cases.weather.places.countries import Region, capital_of, find_regions, fold, state_name

MAX_QUERY_CHARS = 80
MAX_SUGGESTIONS = 5

# A name is unambiguous when the best candidate outweighs the second by this factor: Paris does, Springfield does not.
_CLEAR_LEAD = 2.5
# Candidates below this share of the best weight are not suggested.
_MIN_WEIGHT_SHARE = 0.03
# Candidates found by an alternate name need this many times that share.
_OWN_NAME_LEAD = 10
_CAPITAL_WEIGHT = 3.0

_COUNTRIES_WITH_REGION_LABEL = ("United States", "Canada", "Australia")


def _check_time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (OSError, ValueError, KeyError) as exc:
        raise ValueError(f"'{value}' is not an IANA time zone") from exc
    return value


@dataclass(frozen=True, slots=True)
class City:
    """A city with all that a request for its weather needs.

    Attributes:
        id: The GeoNames id, which Open-Meteo uses too.
        name: The English name where there is one.
        country: The English name of the country; empty when unknown.
        latitude: The latitude in degrees, north positive.
        longitude: The longitude in degrees, east positive.
        timezone: An IANA name, e.g. ``"Europe/Zurich"``.
        region: State or province; empty when unknown.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    id: Annotated[int, Field(ge=0)]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    country: Annotated[str, Field(max_length=100)]
    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    timezone: Annotated[str, Field(max_length=64), AfterValidator(_check_time_zone)]
    region: Annotated[str, Field(max_length=100)] = ""

    @property
    def label(self) -> str:
        """The name as people write it, e.g. ``"Bern, Switzerland"``, ``"Springfield, Missouri, United States"``."""
        return self._join_label(self.region if self.country in _COUNTRIES_WITH_REGION_LABEL else "")

    @property
    def full_label(self) -> str:
        """The name with the region, which distinguishes cities of the same name."""
        return self._join_label(self.region)

    def _join_label(self, region: str) -> str:
        return ", ".join(dict.fromkeys(part for part in (self.name, region, self.country) if part))

    @property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return ZoneInfo(self.timezone)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A city that a query may refer to.

    Attributes:
        city: The city.
        country_code: ISO 3166, two letters.
        weight: The likelihood that the bare name refers to it; see `weigh`.
    """

    city: City
    country_code: str
    weight: float


@dataclass(frozen=True, slots=True)
class CitySearch:
    """The result of a search for a city.

    Attributes:
        query: The text of the query.
        city: The city; None when none was found or the query is ambiguous.
        suggestions: Possible cities, best first, when `city` is None; may be empty.
        is_ambiguous: Whether all suggestions have the name that was asked for, so that the person has to choose.
    """

    query: str
    city: City | None = None
    suggestions: tuple[City, ...] = ()
    is_ambiguous: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A possible reading of a query: the name of a city, and hints at its country or region; none means anywhere."""

    name: str
    hints: tuple[str, ...] = ()


def parse_query(text: str) -> tuple[Query, ...]:
    """Return the possible readings of `text`, likeliest first: "Paris, TX", "Paris Texas", "Paris (France)", "Paris".

    Args:
        text: The text of the query; only the first `MAX_QUERY_CHARS` characters are used.
    """
    text = " ".join(text[:MAX_QUERY_CHARS].replace("(", ",").replace(")", "").split()).strip(" ,.;:!?\"'")
    name, *hints = (part.strip() for part in text.split(","))
    if any(hints):
        return (Query(name, tuple(hint for hint in hints if hint)),)
    readings = [Query(text)]
    words = text.split()
    for count in (1, 2, 3):
        if len(words) > count and find_regions(hint := " ".join(words[-count:])):
            readings.append(Query(" ".join(words[:-count]), (hint,)))
    return tuple(readings)


def choose_city(text: str, query: Query, candidates: Iterable[Candidate]) -> CitySearch:
    """Return the city that the query refers to, or suggestions when that is not clear.

    Args:
        text: The text of the query.
        query: The reading of `text` that led to the candidates.
        candidates: Cities with the name.
    """
    matching = list(candidates)
    is_certain = True
    for hint in query.hints:
        within = [candidate for candidate in matching if is_within(candidate, hint)]
        if within or find_regions(hint):
            matching = within
        else:
            # "London, Ontario": most provinces are not in the packaged list, so that a match cannot be certain.
            is_certain = False
    matching.sort(key=lambda candidate: -candidate.weight)
    if not matching:
        return CitySearch(text)
    if len(matching) == 1 or (is_certain and matching[0].weight >= _CLEAR_LEAD * matching[1].weight):
        return CitySearch(text, matching[0].city)
    floor = matching[0].weight * _MIN_WEIGHT_SHARE if is_certain else 0
    own = fold(query.name)
    choice = distinct_cities(
        c.city for c in matching if c.weight >= (floor if fold(c.city.name) == own else floor * _OWN_NAME_LEAD)
    )
    return CitySearch(text, None, choice, is_ambiguous=True)


def distinct_cities(cities: Iterable[City]) -> tuple[City, ...]:
    """Return the first cities with different labels, at most `MAX_SUGGESTIONS`."""
    by_label: dict[str, City] = {}
    for city in cities:
        by_label.setdefault(city.full_label, city)
    return tuple(by_label.values())[:MAX_SUGGESTIONS]


def is_within(candidate: Candidate, hint: str) -> bool:
    """Return whether a city lies in the country, state or province that `hint` names."""
    if fold(hint) in (fold(candidate.city.region), fold(candidate.city.country)):
        return True
    return any(_is_in_region(candidate, region) for region in find_regions(hint))


def _is_in_region(candidate: Candidate, region: Region) -> bool:
    if candidate.country_code != region.country_code:
        return False
    return region.state is None or fold(candidate.city.region) == fold(state_name(region.state))


def weigh(name: str, country_code: str, population: float, fame: int) -> float:
    """Return the weight of a place among others of its name: the likelihood that the bare name refers to it.

    Args:
        name: The place's own name; capitals weigh more.
        country_code: The country of the place.
        population: 0 when unknown.
        fame: The number of alternate names: many for Barcelona in Spain, few for the one in Venezuela.
    """
    weight = max(population, 1.0) * (10 + fame)
    return weight * _CAPITAL_WEIGHT if capital_of(country_code) == fold(name) else weight
