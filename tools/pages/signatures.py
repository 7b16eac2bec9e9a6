"""An extension of griffe, which reads the docstrings for mkdocstrings: complete signatures.

griffelib 2.4.1 does not know that attrs turns fields into arguments, nor that a TypedDict in `Unpack` has the keys of
its bases, too. Remove this when it does. Test: tests/integration/test_site.py.
"""

from __future__ import annotations

from typing import Any

from griffe import Attribute, Class, ExprCall, ExprKeyword, Extension, Function, Parameter, ParameterKind, Parameters

DECORATORS = {"attrs.frozen", "attrs.define"}


class Signatures(Extension):  # type: ignore[misc] # griffe is in another environment
    """Completes the signatures of attrs classes, and of classes with `**options: Unpack[SomeTypedDict]`."""

    def on_class(self, *, cls: Class, **_: Any) -> None:
        """Called with each class when all modules are read."""
        decorator = next((str(one.value) for one in cls.decorators if one.callable_path in DECORATORS), None)
        if decorator is None or "__init__" in cls.members:
            return
        arguments = [Parameter("self", kind=ParameterKind.positional_or_keyword)]
        for name, attribute in cls.attributes.items():  # with those of its bases
            options = _options(attribute)
            if attribute.annotation is None or "instance-attribute" not in attribute.labels or "init" in options:
                continue
            keyword_only = "kw_only=True" in decorator or "kw_only" in options
            kind = ParameterKind.keyword_only if keyword_only else ParameterKind.positional_or_keyword
            default = options.get("default", f"{options['factory']}()" if "factory" in options else None)
            arguments.append(Parameter(name.lstrip("_"), annotation=attribute.annotation, kind=kind, default=default))
        arguments.sort(key=lambda one: one.kind is ParameterKind.keyword_only)
        cls.set_member("__init__", Function("__init__", parameters=Parameters(*arguments), returns="None"))

    def on_function(self, *, func: Function, **_: Any) -> None:
        """Called with each function when all modules are read."""
        given = func.parameters[-1] if func.name == "__init__" and func.parameters else None
        if given and str(given.annotation).startswith("Unpack["):
            keys: Any = func.modules_collection[given.annotation.slice.canonical_path]
            del func.parameters[given.name]
            for name, key in keys.attributes.items():  # with those of its bases
                parameter = Parameter(name, annotation=key.annotation, kind=ParameterKind.keyword_only, default="...")
                func.parameters.add(parameter)


def _options(attribute: Attribute) -> dict[str, str]:
    """The arguments of `field(...)`; for any other value, that value as the default."""
    value = attribute.value
    if isinstance(value, ExprCall) and value.canonical_path.endswith("attrs.field"):
        return {one.name: str(one.value) for one in value.arguments if isinstance(one, ExprKeyword)}
    return {} if value is None else {"default": str(value)}
