"""Searches for the city that a person means."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from tests.unit.weather.city_rows import row, write_cities
from use_cases.weather.places.cities import City
from use_cases.weather.places.city_index import CityIndex, load_cities
from use_cases.weather.places.countries import find_regions, fold


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Bern", "Bern, Switzerland"),
        ("  zurich ", "Zürich, Switzerland"),
        ("ZÜRICH", "Zürich, Switzerland"),
        ("München", "Munich, Germany"),
        ("東京", "Tokyo, Japan"),
        ("Москва", "Moscow, Russia"),
        ("St. Gallen", "Sankt Gallen, Switzerland"),
        ("Paris", "Paris, France"),
        ("Paris, TX", "Paris, Texas, United States"),
        ("Paris Texas", "Paris, Texas, United States"),
        ("paris (france)", "Paris, France"),
        ("Austin, Texas, USA", "Austin, Texas, United States"),
        ("Toronto, CA", "Toronto, Canada"),
        ("Los Angeles, CA", "Los Angeles, California, United States"),
        ("Tbilisi, Georgia", "Tbilisi, Georgia"),
        ("Atlanta, Georgia", "Atlanta, Georgia, United States"),
        ("Naples", "Naples, Italy"),
        ("Barcelona", "Barcelona, Spain"),
        ("Singapore", "Singapore"),
    ],
)
def test_a_name_finds_the_city_that_most_people_mean(cities: CityIndex, text: str, label: str) -> None:
    city = cities.find(text).city
    assert city is not None
    labels = [part for part in (city.name, city.region, city.country) if part]
    assert city.label == label, labels


def test_a_name_that_several_cities_bear_is_a_choice_and_not_a_guess(cities: CityIndex) -> None:
    search = cities.find("Springfield")
    assert search.city is None
    assert search.is_ambiguous
    regions = [city.region for city in search.suggestions]
    assert {"Missouri", "Massachusetts", "Illinois"} <= set(regions)
    assert len(regions) == len(set(regions)) <= 5


def test_a_province_that_the_list_does_not_know_is_asked_about(cities: CityIndex) -> None:
    search = cities.find("London, Ontario")
    assert search.city is None
    assert "London, Canada" in [city.label for city in search.suggestions]


def test_a_city_is_never_found_in_another_country_than_asked(cities: CityIndex) -> None:
    search = cities.find("Paris, Japan")
    assert search.city is None
    assert not search.is_ambiguous
    assert search.suggestions[0].label == "Paris, France"


def test_a_misspelled_name_leads_to_a_suggestion(cities: CityIndex) -> None:
    search = cities.find("Zurch")
    assert search.city is None
    assert [city.label for city in search.suggestions] == ["Zürich, Switzerland"]


@pytest.mark.parametrize("text", ["", "   ", "?", "Xyzzyplugh", "x" * 10_000, "\x00", ",,,", "Paris, " * 500])
def test_nonsense_finds_nothing_and_breaks_nothing(cities: CityIndex, text: str) -> None:
    assert cities.find(text).city is None


def test_cities_of_a_country_come_largest_first(cities: CityIndex) -> None:
    names = [city.name for city in cities.list_cities("Switzerland", None, 4)]
    assert names == ["Zürich", "Geneva", "Basel", "Lausanne"]
    assert {city.country for city in cities.list_cities("Netherlands", None, 16)} == {"The Netherlands"}
    assert {city.region for city in cities.list_cities("Texas", None, 16)} == {"Texas"}


def test_an_unknown_country_has_no_cities(cities: CityIndex) -> None:
    assert cities.list_cities("Narnia", None, 16) == ()


def test_without_a_wish_cities_of_every_continent_are_listed(cities: CityIndex) -> None:
    zones = {city.timezone.split("/")[0] for city in cities.list_cities(None, None, 16)}
    assert {"Europe", "America", "Asia", "Africa", "Australia"} <= zones


def test_a_part_of_a_name_lists_what_begins_with_it_first(cities: CityIndex) -> None:
    found = cities.list_cities("US", "spring", 16)
    assert len(found) == 16
    assert fold(found[0].name) == "spring"
    assert all(fold(city.name).startswith("spring") for city in found)


def test_indistinguishable_cities_come_in_the_order_of_the_list(tmp_path: Path) -> None:
    twins = [row(id_, "Twin", "US", 20_000, [], admin1code=state) for id_, state in ((7, "TX"), (3, "OH"), (5, "MO"))]
    directory = load_cities(tmp_path / "cache", source=write_cities(tmp_path / "cities.json", *twins))
    assert [city.region for city in directory.find("Twin").suggestions] == ["Texas", "Ohio", "Missouri"]
    assert [city.region for city in directory.list_cities("US", None, 9)] == ["Texas", "Ohio", "Missouri"]


def test_there_are_a_few_thousand_cities_with_a_place_and_a_time_zone(cities: CityIndex) -> None:
    adapter = TypeAdapter(City)
    every = cities.list_cities(None, "a", 100_000)
    for city in every[::50]:
        assert adapter.validate_python(adapter.dump_python(city)) == city
    assert len(every) == len({city.id for city in every}) > 3000


@pytest.mark.parametrize(
    "wrong",
    [{"latitude": 91}, {"longitude": -181}, {"timezone": "Mars/Olympus"}, {"timezone": "../../etc/passwd"}, {"x": 1}],
)
def test_a_city_in_a_payload_is_checked(cities: CityIndex, wrong: dict[str, object]) -> None:
    adapter = TypeAdapter(City)
    city = cities.find("Bern").city
    with pytest.raises(ValidationError):
        adapter.validate_python(adapter.dump_python(city) | wrong)


def test_a_word_may_name_a_country_and_a_state() -> None:
    assert {(region.country_code, region.state) for region in find_regions("Georgia")} == {("GE", None), ("US", "GA")}
    assert find_regions("Atlantis") == ()
