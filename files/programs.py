"""Starts our own programs that read untrusted files, so that an attack on a decoder ends with its process.

Each is a module with a function `main`. It knows nothing of our environment, where keys are, and of our folder.
"""

from __future__ import annotations

import sys
from pathlib import Path

MAX_MEMORY_BYTES = 1_500_000_000
MAX_CPU_S = 25

_ROOT = str(Path(__file__).parents[1])
# Started apart, it finds our modules by where they lie, behind what is installed.
_START = (
    "import sys; from importlib import import_module; sys.path.append(sys.argv.pop(1)); "
    "import_module(sys.argv.pop(1)).main()"
)


def command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs `main` of a module, which finds its arguments in `sys.argv` from 1 on."""
    # `-I` ignores the variable that says where the bytecode lies, and compiles a library of PDF anew for each document.
    bytecode = ["-X", f"pycache_prefix={sys.pycache_prefix}"] if sys.pycache_prefix else []
    return [sys.executable, "-I", *bytecode, "-c", _START, _ROOT, module, *arguments]


def limit(max_file_bytes: int = 0, max_cpu_s: int = MAX_CPU_S) -> None:
    """Bound the program that calls this, in memory, processor time, and what it may write to a file."""
    try:
        import resource
    except ImportError:  # Windows; there the time limit of who started it is all there is
        return
    for kind, value in ((resource.RLIMIT_AS, MAX_MEMORY_BYTES), (resource.RLIMIT_CPU, max_cpu_s)):
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (min(value, hard) if hard > 0 else value, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (max_file_bytes, max_file_bytes))
