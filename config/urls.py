"""All addresses. Each app lists its own."""

from django.contrib import admin
from django.urls import include, path

from troubleshoot.home import home

urlpatterns = [
    path("", home, name="home"),
    path("nested_admin/", include("nested_admin.urls")),
    path("admin/", admin.site.urls),
    path("", include("knowledge.urls")),
    path("", include("troubleshoot.urls")),
    path("", include("api.urls")),
    path("", include("logs.urls")),
    path("", include("mailroom.urls")),
]
