"""Cities: what identifies one, how a person names one, and which of several is meant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, ClassVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, ConfigDict, Field

from use_cases.weather.places.countries import Region, capital_of, find_regions, fold, state_name

MAX_QUERY_CHARS = 80
MAX_SUGGESTIONS = 5

# A name is unambiguous when its best bearer outweighs the next one this many times: Paris is, Springfield is not.
_CLEAR_LEAD = 2.5
# What weighs less than this share of the best bearer is not worth asking about.
_WORTH_ASKING = 0.03
_OWN_NAME_LEAD = 10
_CAPITAL_WEIGHT = 3.0

_NAMED_WITH_REGION = ("United States", "Canada", "Australia")


def _is_time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (OSError, ValueError, KeyError) as exc:
        raise ValueError(f"'{value}' is not an IANA time zone") from exc
    return value


@dataclass(frozen=True, slots=True)
class City:
    """A place with weather: enough to ask for it again without looking it up.

    Attributes:
        id: The GeoNames id, which Open-Meteo uses too.
        name: In English where there is an English name.
        country: The English name of the country, empty when unknown.
        latitude: In degrees, north positive.
        longitude: In degrees, east positive.
        timezone: An IANA name, e.g. ``"Europe/Zurich"``.
        region: State or province, empty when unknown.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    id: Annotated[int, Field(ge=0)]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    country: Annotated[str, Field(max_length=100)]
    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    timezone: Annotated[str, Field(max_length=64), AfterValidator(_is_time_zone)]
    region: Annotated[str, Field(max_length=100)] = ""

    @property
    def label(self) -> str:
        """The name as people write it, e.g. ``"Bern, Switzerland"``, ``"Springfield, Missouri, United States"``."""
        return self._joined(self.region if self.country in _NAMED_WITH_REGION else "")

    @property
    def full_label(self) -> str:
        """The name with the region, to tell cities of one name apart."""
        return self._joined(self.region)

    def _joined(self, region: str) -> str:
        return ", ".join(dict.fromkeys(part for part in (self.name, region, self.country) if part))

    @property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return ZoneInfo(self.timezone)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A city that may be meant.

    Attributes:
        city: The city.
        country_code: ISO 3166, two letters.
        weight: How likely the bare name means it, see `weigh`.
    """

    city: City
    country_code: str
    weight: float


@dataclass(frozen=True, slots=True)
class CitySearch:
    """The result of a search for a city.

    Attributes:
        query: The words that were looked for.
        city: The city that is meant; None when there is none or when it is not clear which.
        suggestions: Without a city: what may be meant, best first; may be empty.
        is_ambiguous: Whether the suggestions all bear the name, and the person should choose.
    """

    query: str
    city: City | None = None
    suggestions: tuple[City, ...] = ()
    is_ambiguous: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """One reading of what a person wrote: a name, and what was said of where it lies (nothing: anywhere)."""

    name: str
    hints: tuple[str, ...] = ()


def read_query(text: str) -> tuple[Query, ...]:
    """Return the ways to read `text`, likeliest first: "Paris, TX", "Paris Texas", "Paris (France)", "Paris".

    Args:
        text: The words of a person; only the first `MAX_QUERY_CHARS` characters count.
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
    """Return the candidate that is meant, or the choice to offer.

    Args:
        text: The words of a person.
        query: The reading of it that led to the candidates.
        candidates: Cities that bear the name.
    """
    matching = list(candidates)
    is_certain = True
    for hint in query.hints:
        within = [candidate for candidate in matching if is_within(candidate, hint)]
        if within or find_regions(hint):
            matching = within
        else:
            # "London, Ontario": provinces of most countries are not in the packaged list, so do not guess.
            is_certain = False
    matching.sort(key=lambda candidate: -candidate.weight)
    if not matching:
        return CitySearch(text)
    if len(matching) == 1 or (is_certain and matching[0].weight >= _CLEAR_LEAD * matching[1].weight):
        return CitySearch(text, matching[0].city)
    floor = matching[0].weight * _WORTH_ASKING if is_certain else 0
    own = fold(query.name)
    choice = distinct(
        c.city for c in matching if c.weight >= (floor if fold(c.city.name) == own else floor * _OWN_NAME_LEAD)
    )
    return CitySearch(text, None, choice, is_ambiguous=True)


def distinct(cities: Iterable[City]) -> tuple[City, ...]:
    """Return the first cities that a person can tell apart."""
    by_label: dict[str, City] = {}
    for city in cities:
        by_label.setdefault(city.full_label, city)
    return tuple(by_label.values())[:MAX_SUGGESTIONS]


def is_within(candidate: Candidate, hint: str) -> bool:
    """Return whether a city lies in the country, state or province that `hint` names."""
    if fold(hint) in (fold(candidate.city.region), fold(candidate.city.country)):
        return True
    return any(_lies_in(candidate, region) for region in find_regions(hint))


def _lies_in(candidate: Candidate, region: Region) -> bool:
    if candidate.country_code != region.country_code:
        return False
    return region.state is None or fold(candidate.city.region) == fold(state_name(region.state))


def weigh(name: str, country_code: str, population: float, fame: int) -> float:
    """Return how likely a bare name means this place.

    Args:
        name: The place's own name; a capital counts more.
        country_code: The country of the place.
        population: 0 when unknown.
        fame: How many other names the world has for it: many for Barcelona in Spain, few for the one in Venezuela.
    """
    weight = max(population, 1.0) * (10 + fame)
    return weight * _CAPITAL_WEIGHT if capital_of(country_code) == fold(name) else weight
