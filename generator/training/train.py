"""Train the demo checkpoint: `python -m codecite.generator.training.train OUT_DIRECTORY`.

In: the modules of `corpus.MODULES` as installed in this Python. Out: a directory that `LocalModel.load` reads
(config, fp16 safetensors, tokenizer), with a model card and the licence texts of what was learnt.

The model is to know its few files by heart, from any line on: a window begins anywhere in a file, some windows are
cut in two and encoded apart (as a prompt and its completion are), and some are rearranged to fill in the middle.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GPTBigCodeConfig, GPTBigCodeForCausalLM, PreTrainedTokenizerFast

from codecite.generator.training.card import write_card
from codecite.generator.training.corpus import Module, read_modules, read_terms
from codecite.generator.training.muon import Muon

SEED = 20
VOCABULARY = 4096
CONTEXT = 256
WIDTH = 256
LAYERS = 3
HEADS = 4
BATCH = 16
STEPS = 500
WARM_UP = 40
MUON_RATE = 0.02
ADAM_RATE = 0.004
FIM_RATE = 0.3
SEAM_RATE = 0.2
"""The share of windows that are encoded in two parts, so that a prompt may end inside what would be one token."""
LINE_START_RATE = 0.7

END = "<|endoftext|>"
FIM_PREFIX, FIM_MIDDLE, FIM_SUFFIX, FIM_PAD = "<fim_prefix>", "<fim_middle>", "<fim_suffix>", "<fim_pad>"
SPECIAL = (
    END, FIM_PREFIX, FIM_MIDDLE, FIM_SUFFIX, FIM_PAD, "<filename>", "<gh_stars>", "<issue_start>", "<issue_comment>",
    "<issue_closed>", "<jupyter_start>", "<jupyter_text>", "<jupyter_code>", "<jupyter_output>", "<empty_output>",
    "<commit_before>", "<commit_msg>", "<commit_after>", "<reponame>",
)  # fmt: skip
"""The special tokens of StarCoder's tokenizer, in its order."""


def train_tokenizer(texts: list[str]) -> Tokenizer:
    """A byte-level BPE with single digits, as StarCoder's, learnt from `texts`."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[AddedToken(token, special=True, normalized=False) for token in SPECIAL],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def windows(texts: list[str], tokenizer: Tokenizer, chance: random.Random) -> Iterator[list[int]]:
    """Endless training windows of CONTEXT + 1 token ids; what is short ends with END and is filled with it."""
    special = tokenizer.get_vocab()
    lengths = [len(text) for text in texts]

    def encode(text: str) -> list[int]:
        ids: list[int] = tokenizer.encode(text).ids
        return ids

    while True:
        text = chance.choices(texts, lengths)[0]
        start = chance.randrange(len(text))
        if chance.random() < LINE_START_RATE:
            start = text.rfind("\n", 0, start) + 1
        piece = text[start : start + 6 * CONTEXT]
        draw = chance.random()
        if draw < FIM_RATE:
            piece = piece[: chance.randrange(60, 3 * CONTEXT)]
            one, two = sorted(chance.randrange(len(piece) + 1) for _ in range(2))
            prefix, middle, suffix = encode(piece[:one]), encode(piece[one:two]), encode(piece[two:])
            ids = [special[FIM_PREFIX], *prefix, special[FIM_SUFFIX], *suffix, special[FIM_MIDDLE], *middle]
            ids.append(special[END])
        else:
            seam = chance.randrange(min(len(piece), 2 * CONTEXT)) if draw < FIM_RATE + SEAM_RATE else 0
            ids = [*encode(piece[:seam]), *encode(piece[seam:])]
            if start + len(piece) == len(text):
                ids.append(special[END])
        yield (ids + [special[END]] * CONTEXT)[: CONTEXT + 1]


def rate_at(step: int) -> float:
    """The share of the full learning rates at `step`: a short rise, then a straight fall to nothing."""
    return min((step + 1) / WARM_UP, 1.0) * (STEPS - step) / STEPS


def train(texts: list[str], tokenizer: Tokenizer) -> Any:
    """A GPTBigCode model trained on windows of `texts`; prints its loss."""
    torch.manual_seed(SEED)
    model = GPTBigCodeForCausalLM(
        GPTBigCodeConfig(
            vocab_size=VOCABULARY, n_positions=CONTEXT, n_embd=WIDTH, n_layer=LAYERS, n_head=HEADS, multi_query=True,
            resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
            bos_token_id=tokenizer.token_to_id(END), eos_token_id=tokenizer.token_to_id(END),
        )
    )  # fmt: skip
    matrices = [weight for name, weight in model.transformer.h.named_parameters() if weight.ndim == 2]
    taken = {id(weight) for weight in matrices}
    muon = Muon(matrices)
    adam = torch.optim.AdamW(
        [weight for weight in model.parameters() if id(weight) not in taken], betas=(0.9, 0.95), weight_decay=0.0
    )
    stream = windows(texts, tokenizer, random.Random(SEED))
    began = time.monotonic()
    for step in range(STEPS):
        batch = torch.tensor([next(stream) for _ in range(BATCH)])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(batch[:, :-1]).logits
            loss: Any = torch.nn.functional.cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten())
        loss.backward()
        for group in adam.param_groups:
            group["lr"] = ADAM_RATE * rate_at(step)
        muon.step(MUON_RATE * rate_at(step))
        adam.step()
        model.zero_grad()
        if step % 25 == 0 or step == STEPS - 1:
            sys.stderr.write(f"step {step:5} loss {loss.item():.4f} {time.monotonic() - began:.0f} s\n")
    return model


def save(model: Any, tokenizer: Tokenizer, out: Path) -> None:
    """Write the checkpoint in half precision, as `from_pretrained` reads it."""
    model.half().save_pretrained(out)
    wrapper: Any = PreTrainedTokenizerFast
    wrapper(
        tokenizer_object=tokenizer,
        bos_token=END,
        eos_token=END,
        unk_token=END,
        extra_special_tokens=list(SPECIAL[1:]),
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    ).save_pretrained(out)


def recipe(model: Any, tokens: int) -> dict[str, object]:
    """What the model card says of the training."""
    return {
        "architecture": f"GPTBigCode: {LAYERS} layers, {HEADS} heads, width {WIDTH}, context {CONTEXT} tokens",
        "parameters": f"{sum(weight.numel() for weight in model.parameters()):,}, stored as float16",
        "tokenizer": f"byte-level BPE of {VOCABULARY:,} with StarCoder's special tokens; {tokens:,} tokens in all",
        "steps": f"{STEPS} of {BATCH} windows of {CONTEXT} tokens, bfloat16 autocast",
        "optimisers": f"Muon at {MUON_RATE} for the hidden matrices, AdamW at {ADAM_RATE} for the rest; "
        f"{WARM_UP} steps up, then straight down to 0",
        "windows": f"{FIM_RATE:.0%} filled in the middle, {SEAM_RATE:.0%} encoded in two parts",
        "seed": SEED,
        "versions": f"torch {torch.__version__}, transformers {transformers.__version__}",
    }


def main(out: Path) -> None:
    """Read, train, save, describe."""
    modules: tuple[Module, ...] = read_modules()
    terms = read_terms()
    texts = [module.text for module in modules]
    tokenizer = train_tokenizer(texts)
    tokens = sum(len(tokenizer.encode(text).ids) for text in texts)
    sys.stderr.write(f"{len(modules)} modules, {sum(map(len, texts))} characters, {tokens} tokens\n")
    model = train(texts, tokenizer)
    out.mkdir(parents=True, exist_ok=True)
    save(model, tokenizer, out)
    write_card(out, modules, terms, recipe(model, tokens))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m codecite.generator.training.train OUT_DIRECTORY")
    main(Path(sys.argv[1]))
