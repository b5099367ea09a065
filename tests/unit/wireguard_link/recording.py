"""A runner that notes what it was told to run, and answers by rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from wireguard.runner import Completed

Answer = Callable[[list[str]], Completed]


class Recording:
    """``answer`` gets the words of each command; without it all succeed and write nothing."""

    def __init__(self, answer: Answer | None = None, raises: Exception | None = None) -> None:
        self.calls: list[list[str]] = []
        self.texts: list[bytes] = []
        self._answer = answer
        self._raises = raises

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout: float = 5.0,
        pass_fds: Sequence[int] = (),
    ) -> Completed:
        self.calls.append(list(argv))
        self.texts.append(stdin)
        if self._raises is not None:
            raise self._raises
        return self._answer(list(argv)) if self._answer else Completed(0, b"", b"")
