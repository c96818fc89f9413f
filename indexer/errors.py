"""The one error tree. Libraries raise these; only the edges (command line, HTTP) turn them into messages or codes.

Every message names the file or the value, the place in it, and what mends it.
"""


class CodeciteError(Exception):
    """Whatever codecite cannot do, said in one sentence for the person who asked."""


class SourceError(CodeciteError):
    """A source of `index add` cannot be read at all (a missing path, a truncated wheel)."""


class IndexMissingError(CodeciteError):
    """There is no index at the given place."""


class IndexCorruptError(CodeciteError):
    """A file of the index is not what its checksum, its magic or the manifest says; names file, section, offset."""


class IndexVersionError(CodeciteError):
    """The index was written in a format that this version does not read."""


class IndexLockedError(CodeciteError):
    """Another process is writing to the index."""


class IndexWriteError(CodeciteError):
    """The index cannot be written (a full disk, say); what was published before stays as it is."""


class RemoteError(CodeciteError):
    """A codecite server cannot be reached, or does not answer as one; names its address."""


class ClusterError(CodeciteError):
    """The cluster that holds an index cannot be reached, or does not answer as a whole."""


class ConfigError(CodeciteError):
    """A configuration that this version cannot build or read."""


class PolicyError(CodeciteError):
    """A policy cannot be read; names the file, the key and what may stand there."""


class TextError(CodeciteError):
    """A text cannot be checked (a lone surrogate, say); names the offset."""


class NotSearchableError(CodeciteError):
    """An index that was made without its lexical part; the message says how it gets one."""


class QueryError(CodeciteError):
    """A search that cannot be taken apart; the message names the place and shows one that can."""


class ModelError(CodeciteError):
    """A model cannot be loaded or run."""
