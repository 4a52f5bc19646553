"""`%connect SYSTEM`: a form for what a driver needs. Values go to .env and nowhere else; the fields are cleared."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Any

from integrator_drivers import registry

from ..errors import IntegratorError

if TYPE_CHECKING:
    from integrator_drivers import Manifest
    from integrator_drivers.manifest import EnvVar

    from ..session import Session
    from .dispatch import Dispatcher

__all__ = ["show_form"]


def show_form(session: Session, system: str, dispatcher: Dispatcher | None) -> None:
    """Ask for the variables of one system, keep them in .env (mode 0600) and check the login live.

    With a dispatcher as widgets, whose answer comes later; without one by typing, here and now.
    """
    manifest = registry.manifest(system)
    if dispatcher is not None:
        _widget_form(session, manifest, dispatcher)
    else:
        print(_introduction(manifest))
        print(_outcome(session, manifest, _typed(_variables(manifest))))


def _variables(manifest: Manifest) -> list[EnvVar]:
    """The recommended way to log in, and what is optional."""
    groups = manifest.auth_groups
    recommended = next(iter(groups.values()), ())
    return [*recommended, *(variable for variable in manifest.env if not variable.auth)]


def _introduction(manifest: Manifest) -> str:
    """Where the values go, and what to tick at the vendor for each object."""
    lines = [f"Connect {manifest.label}. The values are kept in .env beside this notebook, readable by you only."]
    if manifest.scopes:
        lines.append("What the account needs there:")
    for name, scope in manifest.scopes.items():
        if isinstance(scope, str):
            lines.append(f"  {name}: {scope}")
            continue
        rights = [f"to {kind}: {scope[kind]}" for kind in ("read", "write") if scope.get(kind)]
        personal = "; people's data" if scope.get("personal") else ""
        lines.append(f"  {name}: {'; '.join(rights)}{personal}")
    return "\n".join(lines)


def _typed(variables: list[EnvVar]) -> dict[str, str]:
    values = {}
    for variable in variables:
        prompt = f"{variable.name}{f' ({variable.help})' if variable.help else ''}: "
        values[variable.name] = getpass.getpass(prompt) if variable.secret else input(prompt)
    return values


def _outcome(session: Session, manifest: Manifest, values: dict[str, str]) -> str:
    try:
        return "\n".join(session.connect(manifest.name, values))
    except IntegratorError as exc:
        return str(exc)


def _widget_form(session: Session, manifest: Manifest, dispatcher: Dispatcher) -> None:
    import html

    import ipywidgets as W
    from IPython.display import display

    fields: dict[str, Any] = {}
    rows: list[Any] = [W.HTML(f"<pre style='white-space:pre-wrap'>{html.escape(_introduction(manifest))}</pre>")]
    for variable in _variables(manifest):
        kind = W.Password if variable.secret else W.Text
        field = kind(
            description=variable.name,
            placeholder=variable.default or ("" if variable.auth else "optional"),
            style={"description_width": "18em"},
            layout=W.Layout(width="46em", max_width="100%"),
        )
        fields[variable.name] = field
        rows += [field, W.HTML(f"<small style='margin-left:18em'>{html.escape(variable.help)}</small>")]
    button = W.Button(description=f"Save and check {manifest.label}", layout=W.Layout(width="auto"))
    result = W.HTML(layout=W.Layout(max_width="46em"))

    def save(_: Any) -> None:
        values = {name: field.value for name, field in fields.items()}
        for field in fields.values():
            field.value = ""
        say("Logging in ...")
        session.in_background(lambda: finish(_outcome(session, manifest, values)))

    def finish(text: str) -> None:
        dispatcher.post(lambda: say(text))

    def say(text: str) -> None:
        result.value = f"<p role='status' style='white-space:pre-wrap'>{html.escape(text)}</p>"

    button.on_click(save)
    display(W.VBox([*rows, button, result]))
