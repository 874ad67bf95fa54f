"""Text from strangers, made harmless to look at: what cannot be seen, or turns other text around, is shown."""

from __future__ import annotations

# Control characters as their pictures, what turns or hides text as its number: RFC 5322 text may hold any of them.
_VISIBLE = {code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\n\t"} | {0x7F: "\u2421"}
_HIDDEN = (*range(0x80, 0xA0), 0xAD, 0x61C, *range(0x200B, 0x2010), *range(0x2028, 0x202F), *range(0x2060, 0x2070), 0xFEFF, *range(0xE0000, 0xE0080))
_VISIBLE |= {code: f"[U+{code:04X}]" for code in _HIDDEN}


def visible(text: str) -> str:
    """`text` with control, bidirectional and invisible characters shown: `"a\\u202eb"` -> `"a[U+202E]b"`. Line ends and tabs stay."""
    return text.translate(_VISIBLE)
