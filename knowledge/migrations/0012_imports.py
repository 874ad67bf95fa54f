import django.db.models.deletion
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.db import migrations, models


def add_permissions(apps, schema_editor):
    """The group Curators may import files."""
    config = apps.get_app_config("knowledge")
    config.models_module = True  # as in 0002
    create_permissions(config, apps=apps, verbosity=0)
    config.models_module = None
    group, _new = apps.get_model("auth", "Group").objects.get_or_create(name="Curators")
    permissions = apps.get_model("auth", "Permission").objects
    group.permissions.add(*permissions.filter(content_type__app_label="knowledge", content_type__model="knowledgeimport"))


class Migration(migrations.Migration):
    dependencies = [
        ("knowledge", "0011_unrecognised_and_upgrades"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="KnowledgeImport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("names", models.TextField(verbose_name="files")),
                ("content", models.BinaryField(default=bytes)),
                ("publish", models.BooleanField(default=False, verbose_name="as published")),
                ("why", models.CharField(max_length=100, verbose_name="why")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="uploaded")),
                ("applied_at", models.DateTimeField(blank=True, null=True, verbose_name="carried out")),
                ("report", models.JSONField(blank=True, default=dict, verbose_name="what it did")),
                (
                    "by",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL, verbose_name="by"
                    ),
                ),
            ],
            options={
                "verbose_name": "import of files",
                "verbose_name_plural": "imports and exports of files",
                "ordering": ("-pk",),
            },
        ),
        migrations.RunPython(add_permissions, migrations.RunPython.noop),
    ]
