"""Lends the city file to all servers of these tests, which would otherwise build it."""

import pytest


@pytest.fixture(autouse=True)
def _cities(known_cities: None) -> None:
    pass
