"""Text that is shown and not obeyed: control characters become their pictures."""

PICTURES = {
    **{i: 0x2400 + i for i in range(32) if i not in (9, 10)},
    127: 0x2421,
    **dict.fromkeys([*range(0x80, 0xA0), 0x202D, 0x202E], 0xFFFD),
}
"""Control characters but tab and newline, and those that turn letters round, to what is shown."""


def plain(value: object) -> str:
    """A value as text that steers no terminal and is valid in a page."""
    text = str(value).replace("\r\n", "\n").translate(PICTURES)
    return text.encode("utf-8", "backslashreplace").decode()
