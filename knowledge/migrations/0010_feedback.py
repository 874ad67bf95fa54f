from django.contrib.auth.management import create_permissions
from django.db import migrations, models


def add_permissions(apps, schema_editor):
    """The group Curators may read and work through what readers say."""
    config = apps.get_app_config("knowledge")
    config.models_module = True  # as in 0002
    create_permissions(config, apps=apps, verbosity=0)
    config.models_module = None
    group, _new = apps.get_model("auth", "Group").objects.get_or_create(name="Curators")
    permissions = apps.get_model("auth", "Permission").objects
    group.permissions.add(*permissions.filter(content_type__app_label="knowledge", content_type__model="feedback"))


class Migration(migrations.Migration):
    dependencies = [("knowledge", "0005_curators_may_all")]
    operations = [
        migrations.CreateModel(
            name="Feedback",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("page", models.CharField(db_index=True, max_length=200, verbose_name="page")),
                ("helpful", models.BooleanField(blank=True, null=True, verbose_name="helpful")),
                ("text", models.TextField(blank=True, max_length=2000, verbose_name="text")),
                ("created_at", models.DateTimeField(auto_now_add=True, db_index=True, verbose_name="sent")),
                ("state", models.CharField(choices=[("new", "New"), ("done", "Done")], db_index=True, default="new", max_length=8, verbose_name="state")),
                ("note", models.TextField(blank=True, help_text="For curators: what was changed because of it.", verbose_name="note")),
            ],
            options={"verbose_name": "feedback", "verbose_name_plural": "feedback", "ordering": ("-pk",)},
        ),
        migrations.RunPython(add_permissions, migrations.RunPython.noop),
    ]
