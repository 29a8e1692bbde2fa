"""The README of a component, written from its own specification, so that it cannot say anything else than the code.

Types and defaults come from the compiled YAML (they are what a pipeline meets), the words from the docstring, the kind
and the image family from ``components/catalogue.yaml``.
"""

import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import docstring_parser

from ratchet import __version__

SOURCE = "https://raw.githubusercontent.com/kfp-ratchet/ratchet"
KINDS = {
    "pure": "pure: the same inputs give the same outputs, so the step may be cached",
    "read": "read: it looks at the world, which may have changed, so turn caching off",
    "effect": "effect: it changes the world, once per operation; turn caching off",
}
TYPES = {
    "BOOLEAN": "bool",
    "LIST": "list",
    "NUMBER_DOUBLE": "float",
    "NUMBER_INTEGER": "int",
    "STRING": "str",
    "STRUCT": "dict",
}

TEMPLATE = """<!-- Made by `make compile` from component.py beside this file; change that. -->
# {name}

{description}

- Stage: {stage}
- Kind: {kind}
- Image: `{image}` (family `{family}`)

## Inputs

{inputs}

## Parameters

{parameters}

## Outputs

{outputs}

## Load it

```python
# from the installed package (pip install "kfp-ratchet[submit]")
from ratchet import catalog

{name} = catalog.load("{name}")

# from a file, with nothing but kfp
from kfp import components

{name} = components.load_component_from_file("compiled/components/{name}.yaml")

# by URL, at a release
{name} = components.load_component_from_url(
    "{source}/v{version}/compiled/components/{name}.yaml",
)
```
"""


def component_readme(face: Callable[..., Any], compiled: Mapping[str, Any], entry: Mapping[str, Any]) -> str:
    """Return the README of one component, in Markdown.

    Args:
        face: The Python function behind the component: its signature gives the order, its docstring the words.
        compiled: The component's compiled YAML, parsed.
        entry: The component's entry in the catalogue: stage, kind, image, imports.
    """
    doc = docstring_parser.parse(inspect.getdoc(face) or "")
    help_by_name = {item.arg_name: item.description or "" for item in doc.params}
    order = list(inspect.signature(face).parameters)
    root = compiled["root"]
    given, made = root.get("inputDefinitions", {}), root.get("outputDefinitions", {})
    executor = next(iter(compiled["deploymentSpec"]["executors"].values()))
    inputs = _in_order(given.get("artifacts", {}), order)
    parameters = _in_order(given.get("parameters", {}), order)
    outputs = _in_order(made.get("artifacts", {}), order) | made.get("parameters", {})
    return TEMPLATE.format(
        name=face.__name__,
        description=_paragraphs(doc.short_description, doc.long_description),
        stage=entry["stage"],
        kind=KINDS[entry["kind"]],
        image=executor["container"]["image"],
        family=entry["image"],
        inputs=_table(("name", "type", ""), ((n, _type(d), help_by_name.get(n, "")) for n, d in inputs.items())),
        parameters=_table(
            ("name", "type", "default", ""),
            ((n, _type(d), _default(d), help_by_name.get(n, "")) for n, d in parameters.items()),
        ),
        outputs=_table(("name", "type", ""), ((n, _type(d), d.get("description", help_by_name.get(n, ""))) for n, d in outputs.items())),
        source=SOURCE,
        version=__version__,
    )


def _in_order(definitions: Mapping[str, Any], order: list[str]) -> dict[str, Any]:
    return {name: definitions[name] for name in order if name in definitions}


def _paragraphs(*texts: str | None) -> str:
    return "\n\n".join(text for text in texts if text)


def _type(definition: Mapping[str, Any]) -> str:
    if "artifactType" in definition:
        title = str(definition["artifactType"]["schemaTitle"]).removeprefix("system.")
        return f"list of {title}" if definition.get("isArtifactList") else title
    return TYPES[definition["parameterType"]]


def _default(definition: Mapping[str, Any]) -> str:
    if "defaultValue" not in definition:
        return "none" if definition.get("isOptional") else "**required**"
    return f"`{json.dumps(definition['defaultValue'], ensure_ascii=False)}`"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    cells = [(f"`{first}`", *(_cell(text) for text in rest)) for first, *rest in rows]
    if not cells:
        return "None."
    lines = [head, ("---",) * len(head), *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
