"""The pytest plugin: the fixture `talkdesk_bridge_sandbox`, and a marker of the same name for the sandbox's options.

If the package is installed, every run of pytest loads this module, so it imports the sandbox only for the fixture.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from talkdesk_bridge_sandbox import Sandbox

__all__ = ["pytest_configure", "talkdesk_bridge_sandbox"]


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    description = "talkdesk_bridge_sandbox(**options): options of Sandbox for the fixture's sandbox in this test"
    config.addinivalue_line("markers", description)


@pytest.fixture(scope="session")
def _talkdesk_bridge_sandbox() -> Iterator[Sandbox]:
    """One sandbox for all tests without options, because starting and stopping it takes longer than most tests."""
    from talkdesk_bridge_sandbox import Sandbox

    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def talkdesk_bridge_sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """A sandbox on loopback, reset for each test: `url`, `environ`, a ready `client`, `script`, `fault`, `requests`."""
    try:
        from talkdesk_bridge_sandbox import Sandbox
    except ModuleNotFoundError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
    markers = [*request.node.iter_markers("talkdesk_bridge_sandbox")]
    if any(marker.args for marker in markers):
        problem = 'the marker talkdesk_bridge_sandbox takes only named options, such as fault="unavailable"'
        raise pytest.fail.Exception(problem, pytrace=False)
    options = {name: value for marker in reversed(markers) for name, value in marker.kwargs.items()}
    shared: Sandbox | None = None if options else request.getfixturevalue("_talkdesk_bridge_sandbox")
    if shared and not shared.closed:  # a test may have closed it
        shared.reset()
        yield shared
        shared.reset()
    else:
        with Sandbox(**options) as sandbox:
            yield sandbox
