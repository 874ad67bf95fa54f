"""Where the API stands."""

ROOT = "/api/v1/"
DOCS = f"{ROOT}docs"
OPENAPI = f"{ROOT}openapi.json"
