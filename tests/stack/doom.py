"""Web processes that die on request at one step of a POST with an ``Idempotency-Key``.

The product runs unchanged: a `sitecustomize` on the PYTHONPATH of the web processes wraps what
`rest.views` imported. The file `fault` beside it holds one fault, ``STEP VICTIM``; whoever claims
the file has it. STEP is `before` (the handler is done, its transaction is open) or `after` (the
transaction is committed, nothing is answered); VICTIM is `worker` (the process that serves) or
`all` (the whole web server).
"""

from __future__ import annotations

import os
from pathlib import Path

_HOOK = """
import importlib.abc, importlib.util, os, signal, sys

HERE = os.path.dirname(os.path.abspath(__file__))


def die(step):
    try:
        with open(HERE + "/fault") as file:
            wanted, victim = file.read().split()
        if wanted != step:
            return
        os.rename(HERE + "/fault", HERE + "/claimed")
    except FileNotFoundError:
        return
    if victim == "all":
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def wrap(module):
    once = module.once

    def doomed(key, request, handle, **options):
        def handled():
            answer = handle()
            die("before")
            return answer

        answer = once(key, request, handled, **options)
        die("after")
        return answer

    module.once = doomed


class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != "rest.views":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        run = spec.loader.exec_module

        def exec_module(module):
            run(module)
            wrap(module)

        spec.loader.exec_module = exec_module
        return spec


sys.meta_path.insert(0, Finder())
"""


class Doom:
    """The hook and its files in one directory, which goes into a PYTHONPATH."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True)
        (directory / "sitecustomize.py").write_text(_HOOK)
        self.directory = directory

    def arm(self, step: str, victim: str) -> None:
        """The next request that comes to this step kills its process."""
        (self.directory / "claimed").unlink(missing_ok=True)
        fresh = self.directory / "fault.new"
        fresh.write_text(f"{step} {victim}")
        os.replace(fresh, self.directory / "fault")

    def struck(self) -> bool:
        """Whether somebody died of it."""
        return (self.directory / "claimed").exists()
