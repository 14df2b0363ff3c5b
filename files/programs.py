"""Separate programs that parse untrusted files, so that an exploit of a decoder is confined to its process.

Each is a module with a function `main`. It gets none of our environment variables, which contain keys.
"""

from __future__ import annotations

import sys
from pathlib import Path

MAX_MEMORY_BYTES = 1_500_000_000
MAX_CPU_S = 25

_ROOT = str(Path(__file__).parents[1])
# In isolated mode, our own modules have to be added to the path, after the installed packages.
_START = (
    "import sys; from importlib import import_module; sys.path.append(sys.argv.pop(1)); "
    "import_module(sys.argv.pop(1)).main()"
)


def build_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs `main` of a module, which gets the arguments in `sys.argv[1:]`."""
    # `-I` ignores PYTHONPYCACHEPREFIX, without which libraries would be compiled again for each document.
    bytecode = ["-X", f"pycache_prefix={sys.pycache_prefix}"] if sys.pycache_prefix else []
    return [sys.executable, "-I", *bytecode, "-c", _START, _ROOT, module, *arguments]


def limit_resources(max_file_bytes: int = 0, max_cpu_s: int = MAX_CPU_S) -> None:
    """Limit memory, processor time and the size of written files of the current process."""
    try:
        import resource
    except ImportError:  # on Windows, the time limit of the parent process is the only limit
        return
    for kind, value in ((resource.RLIMIT_AS, MAX_MEMORY_BYTES), (resource.RLIMIT_CPU, max_cpu_s)):
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (min(value, hard) if hard > 0 else value, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (max_file_bytes, max_file_bytes))
