"""`%connect SYSTEM`: a form for what a driver needs. Values go to .env and nowhere else; the fields are cleared."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Any

from ..connecting import connect, manifest_of
from ..errors import IntegratorError
from .letter import general_needs, letter, mail_link, needs, objects_with_needs

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
    manifest = manifest_of(system)
    if dispatcher is not None:
        _Form(session, manifest, dispatcher)
        return
    print(introduction(manifest))
    print(_outcome(session, manifest, _typed(_variables(manifest, next(iter(manifest.auth_groups), "")))))


def introduction(manifest: Manifest) -> str:
    """Where the values go, what the account needs at the vendor, and how to ask for it."""
    wanted = [*general_needs(manifest), *needs(manifest, objects_with_needs(manifest), write=True)]
    lines = [f"Connect {manifest.label}. {_WHERE}", *(["What the account needs there:"] if wanted else [])]
    lines += [f"  {line}" for line in wanted]
    lines.append(f"`%connect {manifest.name} --letter` writes a letter to whoever administers it.")
    return "\n".join(lines)


_WHERE = "The values are kept in .env beside this notebook, readable by you only."


def _variables(manifest: Manifest, group: str) -> list[EnvVar]:
    """One way to log in, and what is optional."""
    return [*manifest.auth_groups.get(group, ()), *(variable for variable in manifest.env if not variable.auth)]


def _typed(variables: list[EnvVar]) -> dict[str, str]:
    values = {}
    for variable in variables:
        prompt = f"{variable.name}{f' ({variable.help})' if variable.help else ''}: "
        values[variable.name] = getpass.getpass(prompt) if variable.secret else input(prompt)
    return values


def _outcome(session: Session, manifest: Manifest, values: dict[str, str]) -> str:
    try:
        return "\n".join(connect(session, manifest.name, values))
    except IntegratorError as exc:
        return str(exc)


class _Form:
    """The widgets: a way to log in, its fields, the check; below them the rights to tick and the letter."""

    def __init__(self, session: Session, manifest: Manifest, dispatcher: Dispatcher) -> None:
        import ipywidgets as W
        from IPython.display import display

        from .theme import style

        self._session, self._manifest, self._dispatcher = session, manifest, dispatcher
        self._fields: dict[str, Any] = {}
        groups = list(manifest.auth_groups)
        labels = [
            f"{name.replace('_', ' ')}{' (recommended)' if not place else ''}" for place, name in enumerate(groups)
        ]
        self._way = W.Dropdown(
            options=list(zip(labels, groups, strict=True)), description="log in by", style=_STYLE, layout=_WIDE
        )
        self._inputs = W.VBox([])
        self._button = W.Button(
            description=f"Save and check {manifest.label}", layout=W.Layout(width="auto", align_self="flex-start")
        )
        self._button.on_click(lambda _: dispatcher.post(self._save))
        self._result = W.HTML(layout=W.Layout(max_width="46em"))
        self._way.observe(lambda _: dispatcher.post(self._fill), "value")
        self._fill()
        title = f'<span class="ig-title">Connect {_text(manifest.label)}</span>'
        head = W.HTML(f'<p>{title} <span class="ig-detail">{_WHERE}</span></p>')
        parts = [
            head,
            *([self._way] if len(groups) > 1 else []),
            self._inputs,
            self._button,
            self._result,
            self._rights(),
        ]
        form = W.VBox([W.HTML(style()), *parts])
        form.add_class("ig-live")
        form.add_class("ig-form")
        display(form)

    def _fill(self) -> None:
        """The fields of the chosen way; what was typed into fields that stay is kept."""
        import ipywidgets as W

        typed = {name: field.value for name, field in self._fields.items()}
        self._fields, rows = {}, []
        for variable in _variables(self._manifest, self._way.value or ""):
            kind = W.Password if variable.secret else W.Text
            field = kind(
                value=typed.get(variable.name, ""),
                description=variable.name,
                placeholder=variable.default or ("" if variable.auth else "optional"),
                style=_STYLE,
                layout=_WIDE,
            )
            self._fields[variable.name] = field
            rows += [field, W.HTML(f'<span class="ig-detail ig-hint">{_text(variable.help)}</span>')]
        self._inputs.children = tuple(rows)

    def _save(self) -> None:
        values = {name: field.value for name, field in self._fields.items()}
        for field in self._fields.values():
            field.value = ""
        self._say("Logging in ...")
        self._session.in_background(lambda: self._finish(_outcome(self._session, self._manifest, values)))

    def _finish(self, text: str) -> None:
        self._dispatcher.post(lambda: self._say(text))

    def _say(self, text: str) -> None:
        from .html import paragraphs

        self._result.value = f'<div role="status">{paragraphs(text)}</div>'

    def _rights(self) -> Any:
        """What to tick at the vendor, for the objects wanted, and the letter that asks for it."""
        import ipywidgets as W

        from .html import inline

        def box(name: str, chosen: bool) -> Any:
            layout = W.Layout(width="auto", margin="0 14px 0 0")
            return W.Checkbox(value=chosen, description=name, indent=False, layout=layout)

        objects = [box(name, not place) for place, name in enumerate(objects_with_needs(self._manifest))]
        write = box("also write", False)
        lines = W.HTML()
        text = W.Textarea(rows=16, layout=_WIDE)
        mail = W.HTML()

        def show(_: Any = None) -> None:
            chosen = [box.description for box in objects if box.value]
            wanted = [*general_needs(self._manifest), *needs(self._manifest, chosen, write=write.value)]
            lines.value = f"<ul>{''.join(f'<li>{inline(line)}</li>' for line in wanted)}</ul>"
            text.value = letter(self._manifest, self._way.value or "", chosen, write=write.value)
            mail.value = f'<a class="ig-detail ig-csv" href="{_text(mail_link(text.value))}">Open as an e-mail</a>'

        for control in (*objects, write, self._way):
            control.observe(lambda _: self._dispatcher.post(show), "value")
        show()
        boxes = W.Box([*objects, write], layout=W.Layout(flex_flow="row wrap"))
        made = W.Accordion(
            [W.VBox([boxes, lines]), W.VBox([text, mail])],
            titles=("What the account needs there", "A letter to its administrator"),
            selected_index=None,
        )
        made.layout.margin = "8px 0 0 0"
        return made


_STYLE = {"description_width": "18em"}
_WIDE = {"width": "46em", "max_width": "calc(100% - 6px)"}  # widgets have margins, too


def _text(text: str) -> str:
    from .html import escape

    return escape(text)
