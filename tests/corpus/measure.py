"""How well texts are read: ``python -m tests.corpus.measure [--told] [--misses] [--write]``."""

import argparse
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from optout_service.core.keyword import Intent, read
from tests.corpus import Message, Part, load

PAGE = Path(__file__).parents[2] / "docs" / "text.md"
MARK = "<!-- results -->\n"
HEAD = (
    "| language | messages | opt-outs | recall | missed | false opt-outs | sent to review "
    "| opt-in and help right |"
)
Pair = tuple[Message, Intent]


@dataclass(frozen=True)
class Score:
    """How the messages of one language, or of several, were read: each with what was read in it."""

    # Not shown: a failing test would print what the parts say that nobody fits to.
    pairs: tuple[Pair, ...] = field(repr=False)

    @property
    def opt_outs(self) -> list[Pair]:
        """The messages that are opt-outs."""
        return [pair for pair in self.pairs if pair[0].intent is Intent.OPT_OUT]

    @property
    def others(self) -> list[Pair]:
        """The messages that are none."""
        return [pair for pair in self.pairs if pair[0].intent is not Intent.OPT_OUT]

    @property
    def recall(self) -> float:
        """The share of the opt-outs that were read as such; one that went to review is half."""
        read_as = [intent for _, intent in self.opt_outs]
        return _share(read_as.count(Intent.OPT_OUT) + read_as.count(Intent.REVIEW) / 2, read_as)

    @property
    def missed(self) -> int:
        """Opt-outs that neither stopped anything nor reached a person."""
        return sum(intent not in (Intent.OPT_OUT, Intent.REVIEW) for _, intent in self.opt_outs)

    @property
    def silenced(self) -> int:
        """False opt-outs: messages that are none, and were read as one."""
        return sum(intent is Intent.OPT_OUT for _, intent in self.others)

    @property
    def false(self) -> float:
        """False opt-outs, as a share of the messages that are none."""
        return _share(self.silenced, self.others)

    @property
    def review(self) -> float:
        """The share of all messages that a person would have to look at."""
        return _share(sum(intent is Intent.REVIEW for _, intent in self.pairs), self.pairs)

    @property
    def keywords(self) -> float:
        """The share of the messages that opt in or ask for help that were read so."""
        asked = [p for p in self.pairs if p[0].intent in (Intent.OPT_IN, Intent.HELP)]
        return _share(sum(message.intent is intent for message, intent in asked), asked)

    def line(self, name: str) -> str:
        """The row of the table."""
        asks = any(m.intent in (Intent.OPT_IN, Intent.HELP) for m, _ in self.pairs)
        cells = (
            name,
            f"{len(self.pairs)}",
            f"{len(self.opt_outs)}",
            f"{self.recall:.1%}",
            f"{self.missed}",
            f"{self.silenced} ({self.false:.1%})",
            f"{self.review:.1%}",
            f"{self.keywords:.1%}" if asks else "-",
        )
        return f"| {' | '.join(cells)} |"


def score(messages: Iterable[Message], *, told: bool) -> Score:
    """Read each message; ``told`` says its language too, which no provider does."""
    return Score(tuple((m, read(m.text, m.language if told else None).intent) for m in messages))


def by_language(whole: Score) -> dict[str, Score]:
    """The same, a score for each language, English first."""
    languages = sorted({m.language for m, _ in whole.pairs}, key=lambda name: (name != "en", name))
    return {
        language: Score(tuple(pair for pair in whole.pairs if pair[0].language == language))
        for language in languages
    }


def without_english(whole: Score) -> Score:
    """The same, of all other languages together."""
    return Score(tuple(pair for pair in whole.pairs if pair[0].language != "en"))


def table(whole: Score) -> str:
    """A line a language, then all but English, then all."""
    lines = [HEAD, "|" + "---|" * (HEAD.count("|") - 1)]
    lines += [part.line(language) for language, part in by_language(whole).items()]
    lines += [without_english(whole).line("all but en"), whole.line("all")]
    return "\n".join(lines) + "\n"


def write(results: str) -> None:
    """Put the table between the two marks of docs/text.md; without them, leave with an error."""
    parts = PAGE.read_text().split(MARK) if PAGE.exists() else []
    if len(parts) != 3:
        sys.exit(f"Nothing written: {PAGE.name} needs the line {MARK.strip()} twice.")
    PAGE.write_text(MARK.join([parts[0], results, parts[2]]))


def _share(part: float, whole: list[Pair] | list[Intent] | tuple[Pair, ...]) -> float:
    return part / len(whole) if whole else 0.0


def main() -> None:
    """Print the tables of all parts; the misses are those of DEV, and of no other."""
    parser = argparse.ArgumentParser(prog="python -m tests.corpus.measure", description=__doc__)
    parser.add_argument("--told", action="store_true", help="say the language of each message")
    parser.add_argument("--misses", action="store_true", help="list what is wrong in the dev part")
    parser.add_argument("--write", action="store_true", help="the tables into docs/text.md")
    arguments = parser.parse_args()
    scores = {part: score(load(part), told=arguments.told) for part in Part}
    for part, whole in scores.items():
        print(f"{part}:\n\n{table(whole)}")
    if arguments.misses:
        for message, intent in scores[Part.DEV].pairs:
            if intent is not message.intent:
                print(f"{message.language} {message.tests}: {message.intent} read as {intent}:")
                print(f"    {message.text!r}")
    if arguments.write:
        write(
            f"By an author who saw neither the rules nor the rest:\n\n{table(scores[Part.BLIND])}"
        )


if __name__ == "__main__":
    main()
