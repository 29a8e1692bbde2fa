"""``ratchet submit PIPELINE --parameters``: what a pipeline takes, as a person reads it."""

import json

from ratchet.submit.parameters import KINDS, CompiledPipeline


def describe(pipeline: CompiledPipeline) -> str:
    """Return the parameters of a pipeline, one a line, the required ones first."""
    items = sorted(pipeline.inputs.values(), key=lambda item: not item.required)
    width = max((len(item.name) for item in items), default=0)
    lines = [f"{pipeline.name} takes:", ""]
    for item in items:
        value = int(item.default) if item.kind == "NUMBER_INTEGER" and item.default is not None else item.default
        default = "required" if item.required else f"default {json.dumps(value)}"
        lines.append(f"  {item.name:<{width}}  {KINDS.get(item.kind, item.kind)}, {default}. {item.help}".rstrip())
    return "\n".join(lines)
