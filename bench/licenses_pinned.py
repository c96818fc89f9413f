"""Which packages the figures of licence evidence are taken from.

In: nothing. Out: names and versions. It refuses to know how they are fetched.
"""

from __future__ import annotations

SOURCES = (
    "bubblewrap",
    "cairo",
    "dropbear",
    "gzip",
    "jq",
    "junit4",
    "less",
    "libarchive",
    "libevent",
    "libuv1",
    "libxml2",
    "lz4",
    "mosquitto",
    "mupdf",
    "ninja-build",
    "uglifyjs",
    "opus",
    "rsync",
    "sed",
    "slf4j",
    "tmux",
    "wget",
    "xxhash",
)
"""Debian source packages with a `copyright` for machines, in C, Java, JavaScript and shell, under many licences."""
