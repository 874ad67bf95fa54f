"""POST explain: why did this fail? Nothing of it is kept."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Router
from ninja.decorators import decorate_view

from api.access import guarded
from api.bodies import JSON, pasted
from api.models import Scope
from api.schemas import Explained
from knowledge.current import knowledge
from whybounce.answer import explain_text
from whybounce.intake import read

router = Router(tags=["explain"])


@router.post("/explain", response=Explained, operation_id="explain", summary="Say why mail bounced", by_alias=True)
@decorate_view(guarded(Scope.EXPLAIN, to_all=True, repeatable=True))
def explain(request: HttpRequest) -> HttpResponse:
    """Reads a bounce, a reply of a mail server, a log line or a code, and gives every failed recipient with its facts, the verdict and the
    ranked causes: the JSON of `manage.py explain --json`. Where nothing failed, `failures` is empty and `notes` says why.
    """
    return HttpResponse(explain_text(knowledge(), read(pasted(request))), content_type=JSON)
