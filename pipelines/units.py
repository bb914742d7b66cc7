"""Quantities as people write them: "256 MB", "1 %", 0.98."""

import re

SIZES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def size(value: object) -> int:
    """Bytes from "256 MB" or a whole number.

    Raises:
        ValueError: if it is no size above zero.
    """
    match = re.fullmatch(r"([\d_.]+) *([kKMGT]?B)", value) if isinstance(value, str) else None
    if match:
        number = float(match[1]) * SIZES[match[2].upper()]
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    else:
        number = 0
    if not 1 <= number < 1 << 63:
        raise ValueError(f'want a size such as "256 MB", got {value!r}')
    return int(number)


def share(value: object) -> float:
    """A share in [0, 1] from "1 %" or 0.01.

    Raises:
        ValueError: if it is none.
    """
    match = re.fullmatch(r"([\d.]+) *%", value) if isinstance(value, str) else None
    if match:
        number = float(match[1]) / 100
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        number = float(value)
    else:
        number = -1.0
    if not 0 <= number <= 1:
        raise ValueError(f'want a share such as "1 %" or 0.01, got {value!r}')
    return number


def share_or_off(value: object) -> float | None:
    """A share, or None for false.

    Raises:
        ValueError: if it is neither.
    """
    return None if value is False else share(value)


TIMES = {"ms": 0.001, "s": 1, "min": 60, "h": 3600, "day": 86400, "days": 86400}


def seconds(value: object) -> float:
    """Seconds from "7 days", "1.5 s", "10 min" or a number.

    Raises:
        ValueError: if it is no time, or less than none.
    """
    match = re.fullmatch(r"([\d.]+) *([a-z]+)", value) if isinstance(value, str) else None
    if match and match[2] in TIMES:
        return float(match[1]) * TIMES[match[2]]
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0:
        return float(value)
    raise ValueError(f'want a time such as "10 min" or a number of seconds, got {value!r}')


def say_share(share: float) -> str:
    """A share in per cent; what is not all is not called all, what is not nothing not nothing."""
    if 0.9995 <= share < 1 - 1e-9:
        return f"{100 * min(share, 0.9999):.2f}%"
    return "<0.1%" if 1e-9 < share < 0.0005 else f"{100 * share:.1f}%"


def say_size(size: float) -> str:
    """Bytes in words: "3.2 MB"."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
