"""No server of these tests makes its own list of cities."""

import pytest


@pytest.fixture(autouse=True)
def _cities(known_cities: None) -> None:
    pass
