"""Addresses of the reference."""

from django.urls import path

from knowledge import feedback, sitemap, views

urlpatterns = [
    path("codes/", views.code_list, name="code-list"),
    path("codes/<str:code>/", views.code, name="code"),
    path("causes/", views.cause_list, name="cause-list"),
    path("causes/<slug:slug>/", views.cause, name="cause"),
    path("replies/", views.reply_list, name="reply-list"),
    path("replies/<slug:slug>/", views.reply_family, name="reply-family"),
    path("providers/", views.provider_list, name="provider-list"),
    path("providers/<slug:slug>/", views.provider, name="provider"),
    path("blocklists/", views.blocklist_list, name="blocklist-list"),
    path("blocklists/<slug:slug>/", views.blocklist, name="blocklist"),
    path("articles/", views.article_list, name="article-list"),
    path("articles/<slug:slug>/", views.article, name="article"),
    path("checks/", views.check_list, name="live-check-list"),
    path("checks/<slug:name>/", views.live_check, name="live-check"),
    path("search/", views.search, name="search"),
    path("feedback/", feedback.feedback, name="feedback"),
    path("sitemap.xml", sitemap.sitemap, name="sitemap"),
    path("robots.txt", sitemap.robots, name="robots"),
]
