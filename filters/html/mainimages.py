"""The images in the main text of a page, from its bytes."""

import numpy as np

from filters.html.head import base_of
from filters.html.images import Image, images
from filters.html.maintext import chosen, read


def images_of(page: bytes, url: str | None, mode: str = "balanced") -> list[Image]:
    """The images in the main text, in order, each address once.

    Args:
        page: UTF-8.
        url: its own, if it is known.
        mode: of `filters.html.maintext.MODES`.
    """
    if b"<img" not in page and b"<IMG" not in page:
        return []
    main = read(np.frombuffer(page, np.uint8))
    keep = chosen(main.page, main.chances, mode)
    found = images(main.page, keep, base_of(page, url))
    return list({image.url: image for image in reversed(found)}.values())[::-1]
