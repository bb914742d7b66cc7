"""How much there is, known or estimated: the sizes of steps follow from it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipelines.runs import Run


@dataclass(frozen=True)
class Corpus:
    """A corpus, and the earlier ones that it is deduplicated against.

    Attributes:
        documents: rows of the table.
        text: bytes of their texts.
        parts: files of the table.
        earlier_documents: rows of the earlier runs.
        earlier_parts: files of these.
    """

    documents: int
    text: int
    parts: int
    earlier_documents: int = 0
    earlier_parts: int = 0

    @property
    def every_document(self) -> int:
        """With those of earlier runs."""
        return self.documents + self.earlier_documents

    @property
    def every_part(self) -> int:
        """With those of earlier runs."""
        return self.parts + self.earlier_parts

    def after(self, earlier: Sequence[Run]) -> "Corpus":
        """The same, with the runs that it is deduplicated against."""
        theirs = [run.table("documents") for run in earlier]
        return replace(
            self,
            earlier_documents=sum(table.rows for table in theirs),
            earlier_parts=sum(len(table.parts) for table in theirs),
        )

    @staticmethod
    def of(run: Run) -> "Corpus":
        """What a run holds; of texts nothing is known before they are scanned."""
        documents = run.table("documents")
        text = run.manifest.steps.get("scan", {}).get("counts", {}).get("bytes", 0)
        return Corpus(documents.rows, text, len(documents.parts))
