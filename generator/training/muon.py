"""Muon: momentum whose step is made orthogonal, for the hidden weight matrices.

In: matrices with gradients. Out: the same matrices, one step on. Knows nothing of the model.

Follows the published description (Jordan and others: Muon, an optimizer for hidden layers in neural networks, 2024):
the gradient is accumulated with Nesterov momentum, the result is replaced by roughly its nearest semi-orthogonal
matrix, and the step is scaled by the root of the matrix's aspect ratio.
"""

from __future__ import annotations

from typing import Any

import torch

QUINTIC = (3.4445, -4.7750, 2.0315)
"""a, b, c of x -> a x + b x^3 + c x^5, which drives singular values in (0, 1] towards 1 (from the publication)."""
ROUNDS = 5


class Muon:
    """`weights`: matrices of shape (out, in). `step(rate)` moves each against its gradient."""

    def __init__(self, weights: list[Any], momentum: float = 0.95) -> None:
        self.weights = weights
        self.momentum = momentum
        self.velocities = [torch.zeros_like(weight) for weight in weights]

    def step(self, rate: float) -> None:
        """One update with learning rate `rate`. Every weight must have its gradient."""
        with torch.no_grad():
            for weight, velocity in zip(self.weights, self.velocities, strict=True):
                velocity.lerp_(weight.grad, 1 - self.momentum)
                direction = orthogonal(weight.grad.lerp(velocity, self.momentum))
                rows, columns = weight.shape
                weight.sub_(direction, alpha=rate * max(1.0, rows / columns) ** 0.5)


def orthogonal(matrix: Any) -> Any:
    """Roughly the semi-orthogonal matrix nearest to `matrix`, same shape: singular values end within about .7 to 1.2.

    Newton-Schulz iteration with an odd polynomial, which acts on the singular values alone.
    """
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    a, b, c = QUINTIC
    for _ in range(ROUNDS):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if tall else x
