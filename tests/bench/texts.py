"""How many messages a second one core reads. Called by ``tests.bench``, or by itself."""

import itertools
import statistics
import time

from optout_service.core.keyword import Reader
from tests.core.test_keyword_requests import IN_DOUBT, NOT_REQUESTS, REQUESTS


def messages() -> list[str]:
    """The messages of the tests, each with a word that no other has, as people's names are."""
    groups = itertools.chain(REQUESTS.values(), NOT_REQUESTS.values(), IN_DOUBT.values())
    texts = list(itertools.chain.from_iterable(groups))
    return [f"{text} zq{turn}x{number}" for turn in range(20) for number, text in enumerate(texts)]


def classifying(rounds: int = 5) -> str:
    """A line for docs/performance.md: messages a second of CPU, and what a start costs."""
    started = time.process_time()
    reader = Reader.own()
    loading = time.process_time() - started
    texts = messages()
    rates = []
    for _ in range(rounds):
        started = time.process_time()
        for text in texts:
            reader.read(text)
        rates.append(len(texts) / (time.process_time() - started))
    length = statistics.mean(map(len, texts))
    return (
        f"Reading {len(texts):,} texts of {length:.0f} characters in 18 languages, no two alike: "
        f"**{statistics.median(rates):,.0f}** a second on one core "
        f"({min(rates):,.0f}-{max(rates):,.0f}); the rules are loaded in {loading:.2f} s."
    )


if __name__ == "__main__":
    print(classifying())
