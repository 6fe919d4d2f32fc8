"""Every intermediate result of the model under its published name, to compare with the original.

The ordinary forward passes run; hooks write down what goes by. So what is compared is what
encoders use.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from moviola.encode.decoder.inputs import Kind, Piece, assemble, row_of_ids
from moviola.encode.video_llama.sound.branch import AudioBranch
from moviola.encode.video_llama.vision.branch import VisualBranch

if TYPE_CHECKING:
    from transformers import Blip2QFormerModel, LlamaForCausalLM

_TRUNK_CLIPS = 2
Stages = dict[str, Tensor]


def video_stages(visual: VisualBranch, video: Tensor) -> Stages:
    """Yield stages from frames (B, 3, T, S, S) to the language model's input; N = B * T.

    `vit.patch_embed` (N, patches, D), `vit.block_output.i`, `vit.output` and `ln_vision.output`
    (N, 1 + patches, D), `image_qformer.*` (N, queries, h), `video_qformer.*` (B, queries, h),
    `before_llama.video_embeddings` (B, queries, H), `before_llama.single_frame_embeddings`
    (1, queries, H) of the first frame of the first video alone, and `fork.before_llama`
    (queries, H) of the first video, which is what the reference report stored.
    """
    vit = visual.vit
    modules: dict[str, nn.Module] = {
        "vit.patch_embed": vit.embeddings.patch_embedding,
        **_numbered("vit.block_output", vit.encoder.layers),
        "ln_vision.output": vit.post_layernorm,
        **_qformer_modules("image_qformer", visual.image_qformer),
        **_qformer_modules("video_qformer", visual.video_qformer),
    }
    with _written_down(modules) as stages:
        embeddings = visual(video)
    stages["vit.patch_embed"] = stages["vit.patch_embed"].flatten(2).transpose(1, 2)
    stages["vit.output"] = stages[f"vit.block_output.{len(vit.encoder.layers) - 1}"]
    return stages | {
        "before_llama.video_embeddings": embeddings,
        "before_llama.single_frame_embeddings": visual(video[:1, :, :1]),
        "fork.before_llama": embeddings[0],
    }


def prompt_stages(
    llama: LlamaForCausalLM, video: Tensor, segments: Mapping[str, Sequence[Sequence[int]]]
) -> Stages:
    """Yield stages of one video's vectors (queries, H) between two token lists a segment.

    For each name such as `after_llama`: `.segment_ids.{0,1}`, `.inputs_embeds` (1, L, H),
    `.hidden_states.i` (0 is the input, the last one is behind the final norm),
    `.last_hidden_state` and `.logits`; `fork.after_llama` (L, H) is what the reference report's
    script returned.
    """
    stages: Stages = {}
    for name, around in segments.items():
        row = row_of_ids(around, [Piece(Kind.VIDEO, video)])
        inputs = assemble([row], llama.get_input_embeddings())
        read = llama(inputs_embeds=inputs.embeds, output_hidden_states=True, use_cache=False)
        stages |= {
            **_numbered(f"{name}.segment_ids", [torch.tensor(ids) for ids in around]),
            f"{name}.inputs_embeds": inputs.embeds,
            **_numbered(f"{name}.hidden_states", read.hidden_states),
            f"{name}.last_hidden_state": read.hidden_states[-1],
            f"{name}.logits": read.logits,
        }
    if "after_llama" in segments:
        stages["fork.after_llama"] = stages["after_llama.last_hidden_state"][0]
    return stages


def text_stages(llama: LlamaForCausalLM, ids: Tensor, mask: Tensor) -> Stages:
    """Yield stages of texts (B, n) padded on the right, `mask` 1 where a token stands.

    `text.batch.*` with its padding, `text.hidden_states.i` (B, n, H), and for text i without it
    `text.i.input_ids` (n_i,), `text.i.last_hidden_state` (1, n_i, H) and the reference report's
    poolings `text.i.pool_*` (H,): `average_as_scripted_min` is what its script called average.
    """
    read = llama.model(
        input_ids=ids, attention_mask=mask, output_hidden_states=True, use_cache=False
    )
    last = read.last_hidden_state
    stages: Stages = {
        "text.batch.input_ids": ids,
        "text.batch.attention_mask": mask,
        "text.batch.last_hidden_state": last,
        **_numbered("text.hidden_states", read.hidden_states),
    }
    for i, row in enumerate(last):
        there = mask[i].bool()
        own = row[there]
        stages |= {
            f"text.{i}.input_ids": ids[i][there],
            f"text.{i}.last_hidden_state": own[None],
            f"text.{i}.pool_first": own[0],
            f"text.{i}.pool_max": own.amax(0),
            f"text.{i}.pool_average_as_scripted_min": own.amin(0),
            f"text.{i}.pool_sum": own.sum(0),
            f"text.{i}.pool_mean_correct": own.mean(0),
        }
    return stages


def audio_stages(branch: AudioBranch, mel: Tensor) -> Stages:
    """Yield stages of sound (B, clips, 1, bins, frames) to the language model's input.

    The tokens inside ImageBind (`audio.preprocessor_tokens`, `audio.trunk_block_output_LND.i`
    with the sequence first, `audio.trunk_output`) are those of the first two clips only.
    `audio.head_feature` (B, clips, e), `audio.imagebind_embedding` (B, clips, out),
    `audio_qformer.*` and `audio.audio_llama_proj_output` (B, queries, H) are whole.
    """
    clips = mel.shape[:2]
    trunk = branch.trunk
    modules: dict[str, nn.Module] = {
        **_numbered("audio.trunk_block_output_LND", trunk.blocks),
        "audio.head_feature": trunk.head_norm,
        "audio.imagebind_embedding": trunk,
        **_qformer_modules("audio_qformer", branch.qformer),
    }
    with _written_down(modules) as stages:
        embeddings = branch(mel)
    last = f"audio.trunk_block_output_LND.{len(trunk.blocks) - 1}"
    stages["audio.trunk_output"] = stages[last][:_TRUNK_CLIPS]
    for i in range(len(trunk.blocks)):
        name = f"audio.trunk_block_output_LND.{i}"
        stages[name] = stages[name][:_TRUNK_CLIPS].transpose(0, 1)
    stages["audio.preprocessor_tokens"] = trunk.tokens(mel.flatten(0, 1)[:_TRUNK_CLIPS])
    stages["audio.head_feature"] = stages["audio.head_feature"][:, 0].unflatten(0, clips)
    stages["audio.imagebind_embedding"] = stages["audio.imagebind_embedding"].unflatten(0, clips)
    return stages | {"audio.audio_llama_proj_output": embeddings}


def _numbered(name: str, things: Any) -> dict[str, Any]:
    return {f"{name}.{i}": thing for i, thing in enumerate(things)}


def _qformer_modules(name: str, qformer: Blip2QFormerModel) -> dict[str, nn.Module]:
    layers = [qformer.layernorm, *qformer.encoder.layer]
    return {
        **_numbered(f"{name}.hidden_states", layers),
        f"{name}.last_hidden_state": qformer.encoder.layer[-1],
        f"{name}.encoder_hidden_states": qformer,
    }


@contextlib.contextmanager
def _written_down(modules: Mapping[str, nn.Module]) -> Iterator[Stages]:
    """Write down, while open, the first output of each module, or what a Q-Former looks at."""
    stages: Stages = {}

    def output(name: str) -> Any:
        def hook(_module: nn.Module, _args: Any, given: Any) -> None:
            # The norm behind the vision transformer runs twice; its first output is the one.
            stages.setdefault(name, given)

        return hook

    def looked_at(name: str) -> Any:
        def hook(_module: nn.Module, _args: Any, named: dict[str, Any]) -> None:
            stages.setdefault(name, named["encoder_hidden_states"])

        return hook

    with contextlib.ExitStack() as stack:
        for name, module in modules.items():
            if name.endswith(".encoder_hidden_states"):
                handle = module.register_forward_pre_hook(looked_at(name), with_kwargs=True)
            else:
                handle = module.register_forward_hook(output(name))
            stack.callback(handle.remove)
        yield stages
