"""Addresses of cases, domain checks and logging in."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from troubleshoot import casework_views, check_views, dashboard_views, letter_views, privacy_views, share_views, views
from troubleshoot.doors import behind_the_door

urlpatterns = [
    path("paste/", behind_the_door(views.paste), name="paste"),
    path("start/", behind_the_door(views.start), name="start"),
    path("cases/", casework_views.cases, name="case-list"),
    path("cases/dashboard/", dashboard_views.dashboard, name="dashboard"),
    path("cases/export.csv", casework_views.export, name="case-export"),
    path("cases/<slug:public_id>/", views.case_page, name="case"),
    path("cases/<slug:public_id>/pasted/", views.pasted, name="case-pasted"),
    path("cases/<slug:public_id>/answer/", behind_the_door(views.answer), name="case-answer"),
    path("cases/<slug:public_id>/symptoms/", behind_the_door(views.symptoms), name="case-symptoms"),
    path("cases/<slug:public_id>/take-back/", behind_the_door(views.take_back), name="case-take-back"),
    path("cases/<slug:public_id>/choose/", behind_the_door(views.choose), name="case-choose"),
    path("cases/<slug:public_id>/checks/", behind_the_door(views.checks), name="case-checks"),
    path("cases/<slug:public_id>/checks/<slug:name>/", views.seen, name="case-seen"),
    path("cases/<slug:public_id>/events/", views.case_events, name="case-events"),
    path("cases/<slug:public_id>/causes/", views.causes, name="case-causes"),
    path("cases/<slug:public_id>/close/", behind_the_door(views.close), name="case-close"),
    path("cases/<slug:public_id>/reopen/", behind_the_door(views.reopen), name="case-reopen"),
    path("cases/<slug:public_id>/work/", casework_views.work, name="case-work"),
    path("cases/<slug:public_id>/work/assign/", casework_views.assign, name="case-assign"),
    path("cases/<slug:public_id>/work/tag/", casework_views.tag, name="case-tag"),
    path("cases/<slug:public_id>/work/untag/", casework_views.untag, name="case-untag"),
    path("cases/<slug:public_id>/work/note/", casework_views.note, name="case-note"),
    path("cases/<slug:public_id>/work/note/remove/", casework_views.remove_note, name="case-note-remove"),
    path("cases/<slug:public_id>/work/merge/", casework_views.merge, name="case-merge"),
    path("cases/<slug:public_id>/work/undo-merge/", casework_views.undo_merge, name="case-undo-merge"),
    path("cases/<slug:public_id>/report/", share_views.report, name="case-report"),
    path("cases/<slug:public_id>/report.md", share_views.report_file, {"kind": "md"}, name="case-report-md"),
    path("cases/<slug:public_id>/report.json", share_views.report_file, {"kind": "json"}, name="case-report-json"),
    path("cases/<slug:public_id>/links/", share_views.links, name="case-links"),
    path("cases/<slug:public_id>/links/share/", share_views.share, name="case-share"),
    path("cases/<slug:public_id>/links/revoke/", share_views.revoke, name="case-revoke"),
    path("cases/<slug:public_id>/letters/", letter_views.letters, name="case-letters"),
    path("cases/<slug:public_id>/letters/<slug:slug>/", letter_views.letter, name="case-letter"),
    path("cases/<slug:public_id>/erase/", privacy_views.erase, name="case-erase"),
    path("privacy/", privacy_views.privacy, name="privacy"),
    path("cases/<slug:public_id>/steps/done/", views.step_done, name="case-step-done"),
    path("cases/<slug:public_id>/steps/undo/", views.step_undo, name="case-step-undo"),
    path("r/<str:token>/", share_views.shared, name="shared"),
    path("check/", behind_the_door(check_views.check), name="check"),
    path("check/<slug:public_id>/", check_views.check_run, name="check-run"),
    path("check/<slug:public_id>/again/", behind_the_door(check_views.check_again), name="check-again"),
    path("check/<slug:public_id>/events/", check_views.check_events, name="check-events"),
    path("login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
]
