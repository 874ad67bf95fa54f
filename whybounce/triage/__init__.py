"""Log analysis: a mail server's log, of any size, to a tally of what failed and why.

read_logs(names, knowledge, jobs=...)   files and standard input -> Outcome(tally, unreadable)
Tally.merge, Tally.settled              tallies of pieces -> one; order and grouping make no difference
to_json(tally, knowledge, since)        the contract's object (docs/json.md)
for_people(tally, knowledge, since)     a sentence that says what is wrong, then tables
"""

from whybounce.triage.reporting import for_people, to_json
from whybounce.triage.running import Outcome, Piece, plan, read_logs, read_piece
from whybounce.triage.tally import Tally

__all__ = ["Outcome", "Piece", "Tally", "for_people", "plan", "read_logs", "read_piece", "to_json"]
