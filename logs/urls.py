"""Addresses of the log analysis."""

from django.urls import path

from logs import views
from troubleshoot.doors import behind_the_door

urlpatterns = [
    path("logs/", behind_the_door(views.home), name="logs"),
    path("logs/upload/", behind_the_door(views.begin), name="log-begin"),
    path("logs/<slug:public_id>/", views.log, name="log"),
    path("logs/<slug:public_id>/piece/", behind_the_door(views.piece), name="log-piece"),
    path("logs/<slug:public_id>/cancel/", views.cancel, name="log-cancel"),
    path("logs/<slug:public_id>/erase/", views.erase, name="log-erase"),
    path("logs/<slug:public_id>/case/", behind_the_door(views.open_case), name="log-case"),
    path("logs/<slug:public_id>/tally.json", views.tally, name="log-tally"),
    path("logs/<slug:public_id>/groups.csv", views.groups_csv, name="log-csv"),
]
