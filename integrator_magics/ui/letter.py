"""What an account needs at the vendor, and a letter that asks the system's administrator for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import quote

from integrator_drivers.errors import ValidationError, near_matches

if TYPE_CHECKING:
    from integrator_drivers import Manifest

__all__ = ["general_needs", "letter", "mail_link", "needs", "objects_with_needs"]

_WHAT = (
    "It uses the official interface only. It shows what it would write before it does, writes after a person's "
    "approval, keeps a log of every step, and never deletes anything."
)


def objects_with_needs(manifest: Manifest) -> list[str]:
    """Objects whose rights the driver knows by name."""
    return [name for name, scope in manifest.scopes.items() if not isinstance(scope, str)]


def general_needs(manifest: Manifest) -> list[str]:
    """What is needed whatever is read, a line each: "app: OAuth scope api"."""
    return [f"{name}: {scope}" for name, scope in manifest.scopes.items() if isinstance(scope, str)]


def needs(manifest: Manifest, objects: Iterable[str], *, write: bool) -> list[str]:
    """What is needed for these objects, a line each: "Lead: to read: Leads: Read"."""
    lines = []
    for name in objects:
        scope = manifest.scopes[name]
        kinds = ("read", "write") if write else ("read",)
        rights = [f"to {kind}: {scope[kind]}" for kind in kinds if scope.get(kind)]
        personal = "; people's data" if scope.get("personal") else ""
        lines.append(f"{name}: {'; '.join(rights)}{personal}")
    return lines


def letter(manifest: Manifest, group: str = "", objects: Iterable[str] = (), *, write: bool = False) -> str:
    """The letter: what is wanted for which objects, which values to send, where the machine connects to.

    `group` is the way to log in, by default the recommended one. Raises ValidationError for an object without entry.
    """
    known = objects_with_needs(manifest)
    for name in objects:
        if name not in known:
            near = near_matches(name, known)
            hint = f"Close matches: {', '.join(near)}." if near else f"It knows {', '.join(known) or 'none by name'}."
            raise ValidationError(f'The {manifest.label} driver has no list of rights for "{name}". {hint}', near)
    groups = manifest.auth_groups
    variables = groups.get(group) or next(iter(groups.values()), ())
    kind = "read and write" if write else "read"
    wanted = [*general_needs(manifest), *needs(manifest, objects, write=write)]
    hosts = [f"{host.name}:{host.port}" for host in manifest.hosts]
    lines = [
        f"Subject: access to {manifest.label} for an integration",
        "",
        "Hello,",
        "",
        f"I would like to {kind} data of {manifest.label} from our JupyterLab, with Integrator. {_WHAT}",
        "",
        "What I need there:",
        *(f"- {line.replace('`', '')}" for line in wanted),
        "",
        "An account of its own for this is best, with these rights and no more. Please give me, by a safe way:",
        *(f"- {variable.name}: {variable.help}" for variable in variables),
    ]
    if hosts:
        lines += ["", f"The machine connects to {' or '.join(hosts)}."]
    lines += ["", "The values are kept in one file that only I can read. Thank you"]
    return "\n".join(lines)


def mail_link(text: str) -> str:
    """The letter as a mailto: address (RFC 6068)."""
    subject, _, body = text.partition("\n\n")
    return f"mailto:?subject={quote(subject.removeprefix('Subject: '))}&body={quote(body)}"
