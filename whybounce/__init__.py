"""Whybounce: says why a mail bounced, who must act and how to mend it.

The engine: pure Python, no Django and no database. Usable as a library:

    from whybounce.intake import read
    from whybounce.reasoning import Reasoner
    from whybounce.yaml_knowledge import load_snapshot

    report = read(open("bounce.eml", "rb").read())
    ranking = Reasoner(load_snapshot()).rank(report.failures[0])
"""
