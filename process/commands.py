"""Commands that start no server: `config`, `backup`, `restore` and `import-workflow`.

Each imports its modules when it runs, so that `parlor help` answers at once.
"""

from __future__ import annotations

import argparse

from config import load_settings


def show_settings(_args: argparse.Namespace) -> int:
    """Print the settings in effect, without secrets."""
    settings = load_settings()

    from process.settings_report import report

    for line in report(settings):
        print(line)
    return 0


def back_up(args: argparse.Namespace) -> int:
    """Write a backup of the data, and print its contents."""
    settings = load_settings()

    from process import backup

    print("\n".join(backup.back_up(settings, args.file)))
    return 0


def restore(args: argparse.Namespace) -> int:
    """Restore a backup, and print what was restored."""
    settings = load_settings()

    from process import backup

    print("\n".join(backup.restore(settings, args.file)))
    return 0


def import_workflow(args: argparse.Namespace) -> int:
    """Create a use case from an exported workflow, and print its requirements."""
    settings = load_settings()

    from process import workflow_import

    folder = args.into or settings.use_cases_path[-1]
    result = workflow_import.import_workflow(args.file, args.name, folder, settings.use_cases_path, args.entry)
    for line in workflow_import.report(result, settings):
        print(line)
    if folder.resolve() not in [path.resolve() for path in settings.use_cases_path]:
        print(f"{folder} is not in USE_CASES_PATH: add it there.")
    return 0
