"""Addresses of this app."""

from django.urls import path

from mailroom.widget import widget

urlpatterns = [path("widget/<str:token>/", widget, name="widget")]
