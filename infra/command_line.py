"""The command line of a clone, which the script `parlor` runs: the installed commands and those for development."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from infra import widget_catalogue, widget_pictures
from infra.bytecode import compile_modules, folders_to_compile
from infra.checks import run_checks
from infra.client_build import ROOT, build_client
from infra.testing import run_tests
from main import EXIT_USAGE, build_parser, exit_code_of
from main import main as run_installed

HELP = ("help", "-h", "--help")


@dataclass(frozen=True, slots=True)
class CloneCommand:
    """A command that needs the sources of a clone.

    Attributes:
        summary: Description in the list of commands.
        run: Function that takes the arguments after the command's name and returns the exit code.
    """

    summary: str
    run: Callable[[Sequence[str]], int]


def run_server(arguments: Sequence[str]) -> int:
    """Run the installed command `run`, which builds the client first unless ``--no-build`` is among `arguments`."""
    passed_on = [argument for argument in arguments if argument != "--no-build"]
    is_built_first = len(passed_on) == len(arguments)
    return run_installed(["run", *passed_on], before_serving=build_client if is_built_first else None)


def run_benchmarks(arguments: Sequence[str]) -> int:
    """Run the benchmarks; see ``parlor bench --help``."""
    return subprocess.run([sys.executable, str(ROOT / "benchmarks" / "run.py"), *arguments], check=False).returncode


def run_build(arguments: Sequence[str]) -> int:
    """Build the client if it has changed; return the exit code: 0, or 2 for arguments, since it takes none."""
    if arguments:
        print(f"./parlor build and ./parlor setup take no arguments: {' '.join(arguments)}", file=sys.stderr)
        return EXIT_USAGE
    build_client()
    return 0


def run_setup(arguments: Sequence[str]) -> int:
    """Build the client if it has changed and compile the server's modules; return the exit code of `run_build`."""
    code = run_build(arguments)
    if code == 0:
        # Installers do not compile, so that the first start would take twice as long.
        compile_modules(folders_to_compile(ROOT))
    return code


COMMANDS: Mapping[str, CloneCommand] = {
    "test": CloneCommand(
        "Run all tests, or the parts named: --python, --client, --browser, --container, --examples.", run_tests
    ),
    "check": CloneCommand("Check formatting, style and types, and run the fast tests; --static: no tests.", run_checks),
    "bench": CloneCommand("Measure against a bare server in the same run, as ratios.", run_benchmarks),
    "build": CloneCommand("Build the client if it has changed.", run_build),
    "widget-catalogue": CloneCommand(
        "Write widgets/catalogue.json, its tables and types anew; --check: only compare.", widget_catalogue.main
    ),
    "widget-pictures": CloneCommand(
        "Take the pictures of docs/widgets.md anew, and measure where everything in them is.", widget_pictures.main
    ),
    # The script `parlor` has installed the Python packages before.
    "setup": CloneCommand("Prepare everything that `run` needs, and stop.", run_setup),
}


def format_help() -> str:
    """Return the list of all commands of a clone."""
    rows = {"run": "Build the client if it has changed, then start the server."}
    rows |= {"run --no-build": "Start the server with the client as it was built last."}
    rows |= {name: command.summary for name, command in COMMANDS.items()}
    lines = [f"  {name:<20}{summary}" for name, summary in rows.items()]
    return "\n".join([build_parser().format_help(), "commands of a clone, by ./parlor:", *lines, ""])


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code: 0, 1 for a failure, 2 for a wrong setting or argument."""
    name, *arguments = (sys.argv[1:] if argv is None else argv) or HELP[:1]
    if name in HELP and not arguments:
        print(format_help(), end="")
        return 0
    if name == "run":
        return run_server(arguments)
    if name not in COMMANDS:
        return run_installed([name, *arguments])
    command = COMMANDS[name]
    # The benchmarks have a help of their own.
    if name != "bench" and arguments and arguments[0] in HELP[1:]:
        print(f"./parlor {name}: {command.summary}")
        return 0
    return exit_code_of(lambda: command.run(arguments))


if __name__ == "__main__":
    sys.exit(main())
