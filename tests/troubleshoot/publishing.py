"""Publishes other knowledge in the middle of a test, as a curator does while people work on cases."""

import json
import zlib

from knowledge.current import forget
from knowledge.models import KnowledgeRevision
from tests.engine.knowledge import KNOWLEDGE
from whybounce.document import digest, to_document
from whybounce.snapshot import KnowledgeSnapshot


def publish(snapshot: KnowledgeSnapshot) -> None:
    document = to_document(snapshot)
    content = zlib.compress(json.dumps(document).encode())
    KnowledgeRevision.objects.create(reason="test", digest=digest(document), content=content, weights=KNOWLEDGE.model.to_bytes())
    forget()
