"""Addresses of the code reference."""

from django.urls import path

from knowledge import views

urlpatterns = [
    path("codes/", views.code_list, name="code-list"),
    path("codes/<str:code>/", views.code, name="code"),
    path("causes/", views.cause_list, name="cause-list"),
    path("causes/<slug:slug>/", views.cause, name="cause"),
    path("search/", views.search, name="search"),
]
