"""Whybounce: says why a mail bounced, who must act and how to mend it.

The engine: pure Python, no Django and no database. Usable as a library:

    from pathlib import Path

    from whybounce.compiled import Knowledge
    from whybounce.intake import read
    from whybounce.reasoning import rank
    from whybounce.yaml_knowledge import read_folder

    knowledge = Knowledge(read_folder(Path("knowledge/data")))      # fits the text model: some seconds
    report = read(Path("bounce.eml").read_bytes())
    for failure in report.failures:
        ranking = rank(knowledge, failure)
        print(failure.recipient, ranking.verdict, ranking.top)
"""
