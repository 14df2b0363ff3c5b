"""Prints findings of a security review of the image. It runs in the container's Python."""

import json
import os
import stat
from pathlib import Path

# The engine's own.
SKIPPED = {"/dev", "/proc", "/sys"}
LEFTOVERS = {".cache", ".npmrc", ".lock", "__pycache__", "node_modules", "pip.conf", "uv_cache.json"}

writable, privileged, leftovers, owned = [], [], [], []
for folder, names, files in os.walk("/"):
    names[:] = [name for name in names if os.path.join(folder, name) not in SKIPPED]
    for name in (*names, *files):
        path = os.path.join(folder, name)
        found = os.lstat(path)
        mode = found.st_mode
        if found.st_uid == 10001:
            owned.append(path)
        # A world-writable folder with the sticky bit, such as `/tmp`, is safe.
        if mode & 0o002 and not stat.S_ISLNK(mode) and not (stat.S_ISDIR(mode) and mode & stat.S_ISVTX):
            writable.append(path)
        if stat.S_ISREG(mode) and mode & 0o6000:
            privileged.append(path)
        if name in LEFTOVERS and path.startswith(("/opt", "/data", "/use_cases", "/root", "/src", "/tools")):
            leftovers.append(path)
status = Path("/proc/self/status").read_text()
capabilities = int(next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff:")), 16)
lists = {"writable": writable, "privileged": privileged, "leftovers": leftovers, "owned": owned}
print(json.dumps({**lists, "capabilities": capabilities}))
