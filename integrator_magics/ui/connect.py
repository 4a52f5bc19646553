"""`%connect SYSTEM`: a form for what a driver needs. Values go to .env and nowhere else; the fields are cleared."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Any

from integrator_drivers import DriverError, registry

from ..errors import IntegratorError

if TYPE_CHECKING:
    from integrator_drivers import Manifest
    from integrator_drivers.manifest import EnvVar

    from ..session import Session

__all__ = ["show_form"]


def show_form(session: Session, system: str, *, widgets: bool) -> None:
    """Ask for the variables of one system, keep them in .env (mode 0600) and check the login live."""
    manifest = registry.manifest(system)
    if widgets:
        _widget_form(session, manifest)
    else:
        print(_introduction(manifest))
        print(_save_and_check(session, manifest, _typed(_variables(manifest))))


def _variables(manifest: Manifest) -> list[EnvVar]:
    """The recommended way to log in, and what is optional."""
    groups = manifest.auth_groups
    recommended = next(iter(groups.values()), ())
    return [*recommended, *(variable for variable in manifest.env if not variable.auth)]


def _introduction(manifest: Manifest) -> str:
    lines = [f"Connect {manifest.label}. The values are kept in .env beside this notebook, readable by you only."]
    for name, scope in manifest.scopes.items():
        need = ", ".join(scope.get("read", [])) if isinstance(scope, dict) else str(scope)
        if need:
            lines.append(f"  {name}: {need}")
    return "\n".join(lines)


def _typed(variables: list[EnvVar]) -> dict[str, str]:
    values = {}
    for variable in variables:
        prompt = f"{variable.name}{f' ({variable.help})' if variable.help else ''}: "
        values[variable.name] = getpass.getpass(prompt) if variable.secret else input(prompt)
    return values


def _save_and_check(session: Session, manifest: Manifest, values: dict[str, str]) -> str:
    """Keep what was filled in, log in once, and say what came of it."""
    filled = {name: value.strip() for name, value in values.items() if value.strip()}
    if not filled:
        return "Nothing was filled in, so nothing was changed."
    path = session.credentials.save(filled)
    session.audit.append(
        {"event": "connect", "notebook": session.notebook, "system": manifest.name, "variables": sorted(filled)}
    )
    try:
        identity = session.runner.call(manifest.name, "check")
    except (IntegratorError, DriverError) as exc:
        return f"Kept in {path.name}, but the login did not work. {exc}"
    lines = [f"Connected to {manifest.label}: {identity.account} ({identity.environment}) as {identity.user}."]
    return "\n".join([*lines, *identity.warnings])


def _widget_form(session: Session, manifest: Manifest) -> None:
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
        result.value = "<p role='status'>Logging in ...</p>"
        text = _save_and_check(session, manifest, values)
        result.value = f"<p role='status' style='white-space:pre-wrap'>{html.escape(text)}</p>"

    button.on_click(save)
    display(W.VBox([*rows, button, result]))
