"""The table of law and reliability, R1 to R19, and what tries each row."""

from typing import Final

from tests.faults import (
    bad_lines,
    canaries,
    clocks,
    database_away,
    dues,
    failing_calls,
    full_disk,
    killing,
    lifting,
    many_suppressions,
    older_copy,
    pool_taken,
    reading_back,
    restored,
    settings_that_forget,
    slow_clients,
    tampered_ledger,
    ten_times_the_load,
    upgrade_while_serving,
    vandalised_links,
)
from tests.faults.figures import Trial
from tests.security import matrix

TRIALS: Final[tuple[Trial, ...]] = (
    Trial(
        "R1",
        "workers, master and database killed while people leave through every door",
        "0 acknowledged lost; the rest absent or complete; chain and feed whole",
        killing.survived,
    ),
    Trial(
        "R2",
        "the Nth call to the database fails, at every door",
        "the answer tells what was done, nothing is done by half, and asking again makes one act",
        failing_calls.run,
    ),
    Trial(
        "R3",
        "a database that may forget what it wrote",
        "the service refuses to start over it",
        settings_that_forget.refused,
    ),
    Trial(
        "R4",
        "a check at once after an acknowledgement, of another worker",
        "0 stale",
        reading_back.seen_at_once,
    ),
    Trial(
        "R5",
        "the database stopped, silent, locked, read-only, damaged, another's",
        '0 "allowed"; 503 within 2 s with Retry-After; well again within 10 s, without a restart',
        database_away.refused,
    ),
    Trial(
        "R5",
        "every connection to the database taken",
        '0 "allowed"; 503 within 2 s with Retry-After; well again at once',
        pool_taken.refused,
    ),
    Trial(
        "R5",
        "an older copy put in the place of the database",
        '0 "allowed"; opt-outs are taken; an operator goes on with it',
        older_copy.held_back,
    ),
    Trial(
        "R6",
        "the disk full while people leave",
        'no acknowledgement without a commit; the page says "not recorded", a hook gets 5xx',
        full_disk.nothing_acknowledged,
    ),
    Trial(
        "R7",
        "a day of Twilio's hooks, each several times and out of step",
        "the same end as in order; one confirmation",
        bad_lines.tenfold,
    ),
    Trial(
        "R7",
        "messages of every provider, each several times and in any order",
        "nobody is less stopped than in order: doubt stops",
        bad_lines.in_any_order,
    ),
    Trial(
        "R7",
        "a fifth of a day's hooks never arrives, and the provider's log is read",
        "the same end as if all had arrived",
        bad_lines.reconciled,
    ),
    Trial(
        "R8",
        "the clock a day ahead, a day behind, and stepping back",
        "no opt-out refused; order from the ledger's numbers; links, keys and limits work; the "
        "doctor says so",
        clocks.nobody_is_refused,
    ),
    Trial(
        "R9",
        "200 slow clients at the bare service: half a head, half a body, answers not read",
        "every opt-out beside them is answered (in full size: p99 500 ms)",
        slow_clients.at_the_service,
    ),
    Trial(
        "R9",
        "the same behind nginx as we ship it, over TLS",
        "every opt-out beside them is answered (in full size: p99 500 ms)",
        slow_clients.before_nginx,
        needs="nginx",
    ),
    Trial(
        "R10",
        "200 connections of senders, none of whom has a limit or ever waits",
        "99.9 % of the opt-outs succeed; who is turned away is told when to come again",
        ten_times_the_load.over_what_it_can,
    ),
    Trial(
        "R10",
        "the same, each key over ten times what it may",
        "99.9 % of the opt-outs succeed; who is turned away is told when to come again",
        ten_times_the_load.over_what_they_may,
        ("sqlite",),
    ),
    Trial(
        "R11",
        "mutated links, words of another purpose, keys that were retired",
        "read as what they were minted for, or not at all",
        vandalised_links.run,
        dialects=("none",),
    ),
    Trial(
        "R12",
        "every path and method, by every key, role, tenant and stranger",
        "what no table allows is denied and changes nothing; no route is without a row",
        matrix.held,
    ),
    Trial(
        "R13",
        "edits, deletions, reorderings, truncations of a ledger, its head and its checkpoints",
        "the last checkpoint that is kept elsewhere shows it",
        tampered_ledger.run,
    ),
    Trial(
        "R14",
        "addresses of three people through every door, well and badly used",
        "none in a log line, an error, a header, a URL, the database, a backup or any other file",
        canaries.run,
    ),
    Trial(
        "R15",
        "attempts to lift what stands, by every door and several at a time",
        "never more than the cap of the day; each lift says who and why",
        lifting.run,
    ),
    Trial(
        "R16",
        "a backup while people leave, put back after the loss of the database",
        "equals its checkpoint; erased stay erased, suppressed stay suppressed; in a stated time",
        restored.as_it_was,
    ),
    Trial(
        "R17",
        "every date to the end of 2060, in every time zone",
        "due by the end of the tenth business day there; what is overdue shows",
        dues.run,
    ),
    Trial(
        "R18",
        "an upgrade from the release before, old and new serving side by side",
        "no acknowledged opt-out is lost or unseen on either; old links work; nothing fails",
        upgrade_while_serving.upgrade,
    ),
    Trial(
        "R19",
        "a million suppressions",
        "a check within 10 ms at p99, a batch of 1,000 within 100 ms",
        many_suppressions.run,
    ),
)
"""In the order of the table; a row may have several."""
