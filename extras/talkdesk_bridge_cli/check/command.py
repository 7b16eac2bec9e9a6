"""Runs `check`: sends the requests for each list operation of the contract, and prints the report."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Sequence

from talkdesk_bridge import contract

from talkdesk_bridge_cli.account import required_arguments
from talkdesk_bridge_cli.check.report import Verdict, as_json, as_junit, as_text, verdicts
from talkdesk_bridge_cli.check.survey import Sender, Survey
from talkdesk_bridge_cli.exit import CommandError, bridge_errors, coloured, counted, report, status_of
from talkdesk_bridge_cli.output import Output


def judge(
    accounts: Sequence[str], unknown: str | None, output_format: str, output: str | None, assumed: bool, most: int,
    rate: float,
) -> None:  # fmt: skip
    """Judge the bridge of the environment, and print the report.

    Args:
        accounts: Accounts that exist, at least one with items.
        unknown: The number of an account that does not exist; None if there is none to try.
        output_format: `text`, `json` or `junit`.
        output: The file for the report; None for standard output.
        assumed: Whether assumed rules count as much as documented ones.
        most: The number of requests.
        rate: The number of requests in a second.

    Raises:
        CommandError: a documented rule is broken, or the bridge cannot be judged.

    """
    target, surveys, found = Output(output), list[Survey](), list[Verdict]()
    with bridge_errors(), Sender(most, rate) as sender:
        report(f"At most {counted(most, 'request')}, {rate:g} in a second. They only read.")
        for info in contract.operations():
            if info.shape and len({*required_arguments(info)} - {info.shape.begin, info.shape.size}) == 1:
                surveys.append(Survey(info, info.shape, sender))
                surveys[-1].run(accounts, [unknown] if unknown else [])
                found += verdicts(surveys[-1], assumed=assumed)
    width = shutil.get_terminal_size().columns if target.is_terminal() else 100
    text = as_text(found, width, colour=target.is_terminal() and coloured(sys.stdout))
    others = {"json": as_json, "junit": as_junit}
    target.write([(others[output_format](found) if output_format in others else text).encode()])
    counts = Counter(one.verdict for one in found)
    report(f"{counted(len(found), 'rule')}: {', '.join(f'{counts[word]} {word}' for word in counts)}.")
    if broken := dict.fromkeys(one.rule.name for one in found if one.verdict == "broken"):
        raise CommandError(f"the bridge breaks {counted(len(broken), 'rule')}: {', '.join(broken)}.", 6)
    if not any(seen.full for seen in surveys):
        first = next((one for seen in surveys for one in seen.firsts), None)
        if first is None:
            raise CommandError("the contract has no list of an account, so there is nothing to check.", 8)
        reason = f"no --account has items that can be read (the first one got {first.status or 'no response'})"
        raise CommandError(f"{reason}, so most rules were not tried.", status_of(first.error) if first.error else 4)
