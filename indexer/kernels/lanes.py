"""Sixteen permutations at a time: a loop over a vector's lanes that stays in registers from end to end.

In: arrays of 32-bit numbers. Out: lowered minima. It refuses to know what the numbers mean. numba's own loops bring
every minimum out of its vector again, and so take half as long again in large files and twice as long in small ones;
LLVM cuts the vectors to what the machine has.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

LANES = 16
_WORD = ir.IntType(32)
_INDEX = ir.IntType(64)
_VECTOR = ir.VectorType(_WORD, LANES)


@intrinsic  # type: ignore[untyped-decorator]
def lower_lanes(typing_context: Any, numbers: Any, count: Any, factors: Any, offsets: Any, row: Any, first: Any) -> Any:
    """Lower `row[first:first + LANES]` to the smallest factor * x + offset modulo 2**32 of `count` numbers x.

    The factors and the offsets stand at the same places of their arrays; nothing here checks bounds.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        def data(array: int) -> Any:
            return context.make_array(signature.args[array])(context, builder, args[array]).data

        def lanes(array: int) -> Any:
            return builder.bitcast(builder.gep(data(array), [args[5]]), _VECTOR.as_pointer())

        def load(array: int) -> Any:
            vector = builder.load(lanes(array))
            vector.align = 4
            return vector

        source, factor, offset, given = data(0), load(2), load(3), load(4)
        before = builder.block
        loop, after = builder.append_basic_block("lower"), builder.append_basic_block("lowered")
        builder.cbranch(builder.icmp_signed(">", args[1], _INDEX(0)), loop, after)

        builder.position_at_end(loop)
        index, smallest = builder.phi(_INDEX), builder.phi(_VECTOR)
        nowhere = ir.Constant(_VECTOR, ir.Undefined)
        number = builder.insert_element(nowhere, builder.load(builder.gep(source, [index])), _WORD(0))
        image = builder.add(builder.mul(builder.shuffle_vector(number, nowhere, _VECTOR(None)), factor), offset)
        lower = builder.select(builder.icmp_unsigned("<", image, smallest), image, smallest)
        following = builder.add(index, _INDEX(1))
        builder.cbranch(builder.icmp_signed("<", following, args[1]), loop, after)
        index.add_incoming(_INDEX(0), before)
        index.add_incoming(following, loop)
        smallest.add_incoming(given, before)
        smallest.add_incoming(lower, loop)

        builder.position_at_end(after)
        result = builder.phi(_VECTOR)
        result.add_incoming(given, before)
        result.add_incoming(lower, loop)
        builder.store(result, lanes(4)).align = 4
        return context.get_dummy_value()

    return types.void(numbers, types.int64, factors, offsets, row, types.int64), codegen
