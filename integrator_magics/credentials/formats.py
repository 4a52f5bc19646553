"""Keys by the formats their vendors gave them: found also where nobody registered them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .finders import Finder

__all__ = ["FORMATS", "FORMAT_FINDERS"]

_LONG = "400"  # characters of a token that count at most: a stream must know how far to look
_FORMATS: tuple[tuple[str, tuple[str, ...], str, int], ...] = (  # kind, how it begins, pattern, longest
    ("an Anthropic key", ("sk-ant-",), rf"\bsk-ant-[A-Za-z0-9_-]{{16,{_LONG}}}", 410),
    (
        "an OpenAI key",
        ("sk-",),
        rf"\bsk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{{20,{_LONG}}}|\bsk-[A-Za-z0-9]{{32,{_LONG}}}\b",
        420,
    ),
    ("an AWS access key", ("AKIA", "ASIA"), r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b", 21),
    ("a GitHub token", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), rf"\bgh[pousr]_[A-Za-z0-9]{{36,{_LONG}}}\b", 405),
    ("a GitHub token", ("github_pat_",), rf"\bgithub_pat_[A-Za-z0-9_]{{40,{_LONG}}}", 412),
    ("a Slack token", ("xox",), rf"\bxox[abeoprs]-[A-Za-z0-9-]{{10,{_LONG}}}", 406),
    ("a Slack token", ("xapp-",), rf"\bxapp-\d-[A-Za-z0-9-]{{10,{_LONG}}}", 408),
    (
        "a Slack webhook address",
        ("hooks.slack.com/",),
        rf"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/+]{{20,{_LONG}}}",
        440,
    ),
    (
        "a HubSpot token",
        ("pat-",),
        r"\bpat-(?:na|eu|ap)\d-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
        45,
    ),
    ("a Stripe key", ("sk_", "rk_", "pk_"), rf"\b[srp]k_(?:live|test)_[A-Za-z0-9]{{16,{_LONG}}}", 410),
    ("a Stripe key", ("whsec_",), rf"\bwhsec_[A-Za-z0-9+/=]{{20,{_LONG}}}", 410),
    ("a SendGrid key", ("SG.",), r"\bSG\.[A-Za-z0-9_-]{16,100}\.[A-Za-z0-9_-]{16,100}", 204),
    ("a Shopify token", ("shp",), r"\bshp(?:at|ss|ca|pa)_[0-9a-fA-F]{32}\b", 39),
    ("an E2B key", ("e2b_",), rf"\be2b_[0-9a-f]{{32,{_LONG}}}\b", 406),
    ("a Google key", ("AIza",), r"\bAIza[A-Za-z0-9_-]{35}\b", 40),
    ("a Google key", ("ya29.",), r"\bya29\.[A-Za-z0-9_-]{20,1000}", 1006),
    ("a Google key", ("GOCSPX-",), rf"\bGOCSPX-[A-Za-z0-9_-]{{20,{_LONG}}}", 408),
    ("a Twilio key", ("SK",), r"\bSK[0-9a-f]{32}\b", 35),
    ("a Mailgun key", ("key-",), r"\bkey-[0-9a-f]{32}\b", 37),
    ("a GitLab token", ("glpat-",), rf"\bglpat-[A-Za-z0-9_-]{{20,{_LONG}}}", 408),
    ("a Notion token", ("secret_",), rf"\bsecret_[A-Za-z0-9]{{40,{_LONG}}}\b", 408),
    ("a Notion token", ("ntn_",), rf"\bntn_[A-Za-z0-9]{{40,{_LONG}}}\b", 408),
    ("a Salesforce session", ("00D",), rf"\b00D[A-Za-z0-9]{{12,15}}![A-Za-z0-9._]{{40,{_LONG}}}", 420),
    (
        "a signed token (JWT)",
        ("eyJ",),
        r"\beyJ[A-Za-z0-9_-]{8,2000}\.eyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{8,1000}",
        7010,
    ),
    (
        "a private key",
        ("-----BEGIN ",),
        r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
        r"(?:[A-Za-z0-9+/=\s:,.\\-]{0,8000}?-----END (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----)?",
        8200,
    ),
)
FORMATS = tuple((kind, pattern) for kind, _, pattern, _ in _FORMATS)


@dataclass(frozen=True)
class _Format(Finder):
    """`anchor` is how every match begins; `after` is the whole pattern."""

    def find(self, text: str, start: int) -> tuple[int, int] | None:
        assert self.after is not None
        at = text.find(self.anchor, start)
        while at >= 0:
            if hit := self.after.match(text, at):
                return hit.span()
            at = text.find(self.anchor, at + 1)
        return None


def _begun(head: str) -> re.Pattern[str]:
    """The head at the beginning of a word, or as much of it as fits before the end of the text."""
    cut = r"\Z"
    steps = "".join(f"{re.escape(char)}(?:" for char in head[:-1]) + re.escape(head[-1]) + f"|{cut})" * (len(head) - 1)
    return re.compile(rf"(?<![A-Za-z0-9_]){steps}")


FORMAT_FINDERS = tuple(
    _Format(kind, head, after=re.compile(pattern), longest=longest, head=_begun(head))
    for kind, heads, pattern, longest in _FORMATS
    for head in heads
)
