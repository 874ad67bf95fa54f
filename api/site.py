"""The API: its operations in one place."""

from __future__ import annotations

from ninja import NinjaAPI

from api import cases, looking, reading, reference
from api.bodies import StrictParser
from api.problems import answer_problems

DESCRIPTION = """\
Why mail bounced, who must act and how to mend it, for other programs. What is looked up or explained is open to all at a low rate; a token allows
more, live checks, and cases of one's own, which a help desk can drive from the paste to the outcome.
"""

api = NinjaAPI(
    title="Whybounce",
    version="1",
    description=DESCRIPTION,
    urls_namespace="api-v1",
    openapi_url=None,
    docs_url=None,
    parser=StrictParser(),
)
answer_problems(api)
for part in (reading, looking, reference, cases):
    api.add_router("", part.router)
