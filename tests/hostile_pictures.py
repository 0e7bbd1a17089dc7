"""Pictures as nobody should send them, and odd ones that are sound."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image

GREY = np.tile(np.arange(0, 240, 4, dtype=np.uint8), (50, 1))
COLOUR = np.stack([GREY, GREY[::-1], 255 - GREY], axis=2)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    """The bytes of a picture file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _turned(kind: str) -> bytes:
    image = Image.fromarray(COLOUR)
    exif = image.getexif()
    exif[0x0112] = 8
    return saved(image, kind, exif=exif)


def _palette_with_alpha() -> bytes:
    image = Image.fromarray(COLOUR).quantize(8)
    return saved(image, "PNG", transparency=bytes([0, 128, 255, 255, 64, 0, 255, 255]))


def _animated(kind: str) -> bytes:
    frames = [Image.fromarray(COLOUR), Image.fromarray(255 - COLOUR), Image.fromarray(COLOUR[::-1].copy())]
    return saved(frames[0], kind, save_all=True, append_images=frames[1:])


def png(width: int, height: int, content: bytes, kind: int = 0) -> bytes:
    """A grey or coloured PNG of any claims whose pixels are `content`, packed."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(content)) + chunk(b"IEND", b"")


SOUND: dict[str, bytes] = {
    "cmyk.jpg": saved(Image.fromarray(COLOUR).convert("CMYK"), "JPEG"),
    "16 bits.png": saved(Image.fromarray(GREY.astype(np.uint16) * 257), "PNG"),
    "16 bits.tif": saved(Image.fromarray(GREY.astype(np.uint16) * 257), "TIFF"),
    "fractions.tif": saved(Image.fromarray(GREY / np.float32(255)), "TIFF"),
    "palette with alpha.png": _palette_with_alpha(),
    "grey with alpha.png": saved(Image.fromarray(np.stack([GREY, 255 - GREY], axis=2), "LA"), "PNG"),
    "turned.jpg": _turned("JPEG"),
    "turned.webp": _turned("WEBP"),
    "animated.gif": _animated("GIF"),
    "animated.webp": _animated("WEBP"),
    "animated.png": _animated("PNG"),
    "several pages.tif": _animated("TIFF"),
    "lossless.webp": saved(Image.fromarray(COLOUR), "WEBP", lossless=True),
    "packed.tga": saved(Image.fromarray(COLOUR), "TGA", compression="tga_rle"),
    "icon.ico": saved(Image.fromarray(COLOUR), "ICO", sizes=[(32, 32)]),
    "progressive.jpg": saved(Image.fromarray(COLOUR), "JPEG", progressive=True),
    "one pixel.png": saved(Image.fromarray(COLOUR[:1, :1]), "PNG"),
    "one line.png": png(30_000, 1, bytes(30_001)),
}
"""Files that are read."""

HOSTILE: dict[str, bytes] = {
    "empty.png": b"",
    "a text.jpg": b"hello, I am a text",
    "a program.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "drawing.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "bomb.png": png(60_000, 60_000, bytes(10)),
    "just over.png": png(10_000, 5_001, bytes(10)),
    "short.png": png(6_000, 6_000, bytes(10)),
    "enormous.bmp": b"BM" + struct.pack("<IIIIiiHHIIiiII", 70, 0, 54, 40, 2**31 - 1, 2**31 - 1, 1, 24, 0, 0, 0, 0, 0, 0),
    "enormous.gif": b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + b"\x80\0\0" + bytes(6) + b"," + bytes(9) + b"\x02\x02D\x01\0;",
    "enormous.webp": b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\x3f\0\xff\x3f\0",
    "enormous.tga": struct.pack("<BBBHHBHHHHBB", 0, 0, 2, 0, 0, 0, 0, 0, 65_535, 65_535, 24, 0),
    **{
        f"cut {name}": SOUND[name][: len(SOUND[name]) // 2]
        for name in ("cmyk.jpg", "16 bits.png", "lossless.webp", "turned.webp", "packed.tga", "16 bits.tif")
    },
}
"""Files that are not, by their names."""
