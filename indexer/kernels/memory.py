"""Eight bytes at a time: unaligned loads and stores, which numba's own indexing cannot express.

In: a `uint8` array and an index. Out: little-endian words. Nothing here checks bounds: the caller leaves room for
eight bytes, and keeps alive what an address points to. It refuses to know what the bytes mean.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from codecite.indexer.kernels.jit import part
from codecite.indexer.kernels.types import Bytes


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, index: Any, bits: int) -> Any:
    struct = context.make_array(array_type)(context, builder, array)
    return builder.bitcast(builder.gep(struct.data, [index]), ir.IntType(bits).as_pointer())


@intrinsic  # type: ignore[untyped-decorator]
def load64(typing_context: Any, array: Any, index: Any) -> Any:
    """The word of the eight bytes at `array[index:index + 8]`."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        word = builder.load(_pointer(context, builder, signature.args[0], args[0], args[1], 64))
        word.align = 1
        return word

    return types.uint64(array, types.int64), codegen


@intrinsic  # type: ignore[untyped-decorator]
def load32(typing_context: Any, array: Any, index: Any) -> Any:
    """The word of the four bytes at `array[index:index + 4]`."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        word = builder.load(_pointer(context, builder, signature.args[0], args[0], args[1], 32))
        word.align = 1
        return word

    return types.uint32(array, types.int64), codegen


@intrinsic  # type: ignore[untyped-decorator]
def store64(typing_context: Any, array: Any, index: Any, word: Any) -> Any:
    """Write a word to the eight bytes at `array[index:index + 8]`."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        store = builder.store(args[2], _pointer(context, builder, signature.args[0], args[0], args[1], 64))
        store.align = 1
        return context.get_dummy_value()

    return types.void(array, types.int64, types.uint64), codegen


@intrinsic  # type: ignore[untyped-decorator]
def load64_at(typing_context: Any, address: Any) -> Any:
    """The word of the eight bytes at an address."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        word = builder.load(builder.inttoptr(args[0], ir.IntType(64).as_pointer()))
        word.align = 1
        return word

    return types.uint64(types.uint64), codegen


@intrinsic  # type: ignore[untyped-decorator]
def load8_at(typing_context: Any, address: Any) -> Any:
    """The byte at an address."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(builder.inttoptr(args[0], ir.IntType(8).as_pointer()))

    return types.uint8(types.uint64), codegen


@intrinsic  # type: ignore[untyped-decorator]
def store8_at(typing_context: Any, address: Any, byte: Any) -> Any:
    """Write the byte at an address."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[1], builder.inttoptr(args[0], ir.IntType(8).as_pointer()))
        return context.get_dummy_value()

    return types.void(types.uint64, types.uint8), codegen


@intrinsic  # type: ignore[untyped-decorator]
def low_zero_bits(typing_context: Any, word: Any) -> Any:
    """How many low bits of a word are zero (64 for zero)."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), codegen


@intrinsic  # type: ignore[untyped-decorator]
def high_zero_bits(typing_context: Any, word: Any) -> Any:
    """How many high bits of a word are zero (64 for zero)."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctlz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), codegen


@part
def common_prefix(a: Bytes, i: int, b: Bytes, j: int, limit: int) -> int:
    """How many bytes agree from `a[i]` and `b[j]` on, at most `limit`. The bytes up to `limit` must exist in both."""
    done = 0
    while done + 8 <= limit:
        difference = load64(a, i + done) ^ load64(b, j + done)
        if difference != 0:
            return done + (low_zero_bits(difference) >> 3)
        done += 8
    while done < limit and a[i + done] == b[j + done]:
        done += 1
    return done


@part
def common_suffix(a: Bytes, i: int, b: Bytes, j: int, limit: int) -> int:
    """How many bytes agree before `a[i]` and `b[j]`, at most `limit`. The bytes down to `limit` must exist in both."""
    done = 0
    while done + 8 <= limit:
        difference = load64(a, i - done - 8) ^ load64(b, j - done - 8)
        if difference != 0:
            return done + (high_zero_bits(difference) >> 3)
        done += 8
    while done < limit and a[i - done - 1] == b[j - done - 1]:
        done += 1
    return done
