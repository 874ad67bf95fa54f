"""Memory of bounded size for what is worked out again and again."""

from __future__ import annotations

from typing import Any


class Remembered(dict[Any, Any]):
    """What was worked out before, by what it depends on. When it is full all of it is forgotten: cheaper than to keep count of use."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, key: Any, value: Any) -> None:
        if len(self) >= self._most:
            self.clear()
        super().__setitem__(key, value)
