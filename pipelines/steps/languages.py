"""Languages: what each reason drops of each, so that none is thrown out unseen.

Rules are made for a language: words are counted where there are spaces, sentences end with a full
stop, letters have a case.  So a reason that takes much more of one language than of the others is
told, unless its rule asks for the language itself.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from pipelines import sql
from pipelines.recipe import Recipe
from pipelines.runs.tables import marked
from pipelines.steps.dedup.recall import wilson

COLUMNS = ("language", "language_score", "languages")
UNKNOWN, KEPT = "unknown", "kept"
LEAST = 20  # documents of a language, from which on it is looked at
TIMES = 3  # the share of the others, above which a reason is told
SHARE = 0.1  # of a language's documents, above which the same
MARK = "language "


@dataclass(frozen=True)
class Language:
    """The documents of one language.

    Attributes:
        dropped: how many, by reason, the most first.
    """

    name: str
    documents: int
    kept: int
    dropped: Mapping[str, int]


@dataclass(frozen=True)
class Loss:
    """A reason that takes much of one language.

    Attributes:
        share: of this language's documents.
        others: of all others.
    """

    language: str
    reason: str
    share: float
    others: float


def counted(reasons: pa.Array, languages: pa.Array) -> Counter[str]:
    """Documents by language and reason, as counts of a step.

    Args:
        reasons: null: kept.
        languages: null: not known.
    """
    table = pa.table({"reason": reasons, "language": languages})
    found = table.group_by(["language", "reason"]).aggregate([([], "count_all")]).to_pylist()
    return Counter(
        {
            f"{MARK}{row['language'] or UNKNOWN}: {row['reason'] or KEPT}": row["count_all"]
            for row in found
        }
    )


def listed(counts: Mapping[str, int]) -> list[Language]:
    """The languages that a step counted, the most frequent first."""
    found: dict[str, Counter[str]] = {}
    for key, count in marked(counts, MARK).items():
        name, _, reason = key.partition(": ")
        found.setdefault(name, Counter())[reason] += count
    return sorted(
        (_language(name, reasons) for name, reasons in found.items()),
        key=lambda language: (-language.documents, language.name),
    )


def _language(name: str, reasons: Counter[str]) -> Language:
    dropped = sorted(((-n, r) for r, n in reasons.items() if r != KEPT))
    return Language(name, reasons.total(), reasons[KEPT], {r: -n for n, r in dropped})


def losses(languages: Sequence[Language], recipe: Recipe) -> list[Loss]:
    """What takes much more of one language than of the others, beyond chance; the most first."""
    whole = sum(each.documents for each in languages)
    total = Counter[str]()
    for each in languages:
        total.update(each.dropped)
    meant = {name for name, rule in recipe.rules.items() if _asks_for_languages(name, rule)}
    found = []
    for each in languages:
        rest = whole - each.documents
        if each.documents < LEAST or rest < LEAST or each.name == UNKNOWN:
            continue
        for reason, count in each.dropped.items():
            share, others = count / each.documents, (total[reason] - count) / rest
            sure = wilson(share, each.documents)[0] > max(TIMES * others, SHARE)
            if sure and reason.removesuffix(": no value") not in meant:
                found.append(Loss(each.name, reason, share, others))
    return sorted(found, key=lambda loss: (-loss.share, loss.language, loss.reason))


def _asks_for_languages(name: str, rule: str) -> bool:
    return any(column in COLUMNS for column in sql.columns(rule, f"[rules] {name}"))
