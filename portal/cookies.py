"""The cookie that keeps the reader's theme. It holds a word, no secret."""

from typing import Final

THEME_COOKIE: Final = "vwg-theme"
THEMES: Final = ("light", "dark")
