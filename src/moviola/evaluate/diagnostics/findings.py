"""Hold a diagnosis: sentences with cause and remedy, and the figures behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["error", "warning", "info", "ok"]

#: Worst first, as findings are listed.
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info", "ok")

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """Hold one thing that explains a number.

    Attributes:
        severity: `"error"` makes results meaningless, `"warning"` costs accuracy, `"info"` is worth
            knowing, `"ok"` says that nothing was found.
        code: a name that stays, such as `constant`.
        about: `"texts"`, `"videos"`, or `"pairs"` for what concerns both.
        sentence: what was seen, the likely cause, and the remedy.
    """

    severity: Severity
    code: str
    about: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Hold all findings, worst first, and all figures.

    Attributes:
        findings: at least one.
        figures: JSON values by part: `texts`, `videos`, `pairs`, `t2v`, `v2t`.
    """

    findings: tuple[Finding, ...]
    figures: Mapping[str, Any]

    def __str__(self) -> str:
        return "\n".join(f"{each.severity:<7}  {each.sentence}" for each in self.findings)

    def to_json(self) -> dict[str, Any]:
        """Write findings and figures as JSON values."""
        listed = [
            {
                "severity": each.severity,
                "code": each.code,
                "about": each.about,
                "sentence": each.sentence,
            }
            for each in self.findings
        ]
        return {"findings": listed, "figures": dict(self.figures)}


def conclude(findings: Sequence[Finding], figures: Figures) -> Diagnosis:
    """Order findings by severity; where none is bad, add one that says so."""
    found = list(findings)
    if not any(each.severity in ("error", "warning") for each in found):
        found.append(
            Finding("ok", "sound", "pairs", "Nothing was found that would explain a bad number.")
        )
    found.sort(key=lambda each: SEVERITIES.index(each.severity))
    return Diagnosis(tuple(found), figures)


def shown(share: float) -> str:
    """Write a share such as an MRR with four decimals, or two digits where those would be zeros."""
    return f"{share:.4f}" if share >= 0.001 else f"{share:.2g}"
