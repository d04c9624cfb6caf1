"""The `quality:` of ftctl.yaml goes in; which checks look at rows, and how, comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

Level = Literal["ignore", "warning", "error"]

NEAR_DUPLICATES_UP_TO_BYTES = 20_000_000  # beyond, signatures would be most of the pass's time

LANGUAGES_OF_BYTES = 1_000_000  # of a file's rows; a closer look at all would cost a second a MB
LANGUAGES_FROM_BYTES = 3_000  # smaller files hardly have the rows to tell what strayed in
NO_SETTINGS = frozenset({"moderation", "languages_of_one_in"})


@dataclass(frozen=True, slots=True)
class QualitySettings:
    """Each check's level, `ignore` being its off-switch, and its threshold. Shares are 0 to 1."""

    leakage: Level = "warning"
    leakage_share: float = 0.0  # of the validation rows: no more than this may leak
    duplicates: Level = "warning"
    duplicate_share: float = 0.0  # of the rows: no more than this may be repetitions
    near_duplicates: Level = "warning"
    similarity: float = 0.8  # Jaccard, of the prompts' three-word phrases
    near_duplicates_up_to_bytes: int = NEAR_DUPLICATES_UP_TO_BYTES
    contradictions: Level = "warning"
    answers_per_prompt: int = 1
    refusals: Level = "warning"
    refusal_share: float = 0.05
    one_answer: Level = "warning"
    one_answer_share: float = 0.5
    one_label_share: float = 0.9  # instead, where few different answers make up the file
    lengths: Level = "warning"
    length_factor: float = 10.0  # times the median, up or down, that a length must differ
    languages: Level = "warning"
    language_share: float = 0.05  # a language with fewer rows is one that strayed in
    empty_rows: Level = "warning"
    empty_share: float = 0.0
    mojibake: Level = "warning"
    secrets: Level = "warning"
    secret_bits: float = 3.0  # of entropy per character; placeholders have fewer
    personal_data: Level = "warning"
    allow: tuple[str, ...] = ()  # addresses, numbers, keys and mail domains that may stand in rows
    regions: tuple[str, ...] = ()  # ISO 3166: their national phone numbers are looked for
    # Of so many rows one has its languages looked at closely, with 0 none; told by the file's size.
    languages_of_one_in: int = 1
    moderation: Level = "ignore"  # no setting of a project: texts leave the machine for it

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> QualitySettings:
        """Those of a `quality:` that fits its schema; all else is as in PROJECT_DEFAULTS."""
        known = {one.name for one in fields(cls)} - NO_SETTINGS
        given = {key: value for key, value in config.items() if key in known}
        allow, regions = tuple(given.pop("allow", ())), tuple(given.pop("regions", ()))
        return replace(PROJECT_DEFAULTS, **given, allow=allow, regions=regions)

    @property
    def signs(self) -> bool:
        """Whether rows are given the signatures that near duplicates are found by."""
        return self.near_duplicates != "ignore"

    @property
    def scans(self) -> bool:
        """Whether any text is looked through for what should not be in it."""
        return self.secrets != "ignore" or self.personal_data != "ignore"

    def for_file(self, size: int) -> QualitySettings:
        """The same for a file of so many bytes.

        One that is too large is not searched for near duplicates. Languages are looked at closely
        in a sample of a large one, and not at all in a small one.
        """
        near = "ignore" if size > self.near_duplicates_up_to_bytes else self.near_duplicates
        one_in = 1 + size // LANGUAGES_OF_BYTES if size >= LANGUAGES_FROM_BYTES else 0
        if (near, one_in) == (self.near_duplicates, self.languages_of_one_in):
            return self
        return replace(self, near_duplicates=near, languages_of_one_in=one_in)


# Near duplicates take numpy, and longer than all else: 'dataset check' looks for them, and whoever
# asks for it in ftctl.yaml.
PROJECT_DEFAULTS = QualitySettings(near_duplicates="ignore")
